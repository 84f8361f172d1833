-- Events for wrk to post: each unlike all others, from a file of patterns in which @id@, @time@, @late@ and @who@
-- stand for what differs. Arguments: file, events a request, requests a second (0: as fast as it goes), name of the
-- run, customers. Prints one line of JSON at the end.
local ffi = require("ffi")
ffi.cdef[[ typedef struct { long seconds; long nanoseconds; } moment; int clock_gettime(int clock, moment *now); ]]
local moment = ffi.new("moment")
local patterns, batch, gap, run, customers = {}, 1, 0, "", 1
local number, due, second, today = 0, 0, 0, ""
local KNEE = 20 -- the first customers are about as busy as each other, the others follow Zipf's law

local function now(clock)
  ffi.C.clock_gettime(clock, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local function who()
  return string.format("%07d", KNEE * ((customers + KNEE) / KNEE) ^ math.random() - KNEE)
end

local function stamp(at)
  return os.date("!%Y-%m-%dT%H:%M:%S", at) .. string.format(".%03dZ", math.random(0, 999))
end

local function split(line)
  local pieces, from = {}, 1
  for before, name, after in line:gmatch("()@(%l+)@()") do
    pieces[#pieces + 1] = { line:sub(from, before - 1), name }
    from = after
  end
  pieces[#pieces + 1] = { line:sub(from) }
  return pieces
end

local function add(out, pieces)
  number = number + 1
  local customer = who()
  for _, piece in ipairs(pieces) do
    out[#out + 1] = piece[1]
    local name = piece[2]
    if name == "id" then out[#out + 1] = run .. number
    elseif name == "who" then out[#out + 1] = customer
    elseif name == "time" then out[#out + 1] = today .. string.format(".%03dZ", math.random(0, 999))
    elseif name == "late" then out[#out + 1] = stamp(os.time() - math.random(60, 2592000)) end
  end
end

function init(args)
  for line in io.lines(args[1]) do patterns[#patterns + 1] = split(line) end
  batch, run, customers = tonumber(args[2]), args[4], tonumber(args[5])
  if tonumber(args[3]) > 0 then gap = batch / tonumber(args[3]) else delay = nil end
  local seed = 0
  for i = 1, #run do seed = (seed * 31 + run:byte(i)) % 2147483647 end
  math.randomseed(seed)
  due = now(1)
end

-- Milliseconds until the next request: on a schedule, so that a slow answer is made up for.
function delay()
  due = due + gap
  return math.max((due - now(1)) * 1000, 0)
end

function request()
  local at = os.time()
  if at ~= second then second, today = at, os.date("!%Y-%m-%dT%H:%M:%S", at) end
  local out = { batch > 1 and "[" or "" }
  for i = 1, batch do
    if i > 1 then out[#out + 1] = "," end
    add(out, patterns[math.random(#patterns)])
  end
  if batch > 1 then out[#out + 1] = "]" end
  return wrk.format("POST", nil, nil, table.concat(out))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.4f, "refused": %d, "failed": %d, "p50": %.4f, "p99": %.4f, "max": %.4f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
