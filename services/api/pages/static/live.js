// Live additions: the stream says what happened, the server draws it. Without this a reload shows the same.
"use strict";

const list = document.getElementById("interactions");
const news = document.getElementById("news");
const customer = list.dataset.customer;
const waiting = new Set();
let timer = 0;
let telling = 0;

async function drawn(address, selector) {
  const answer = await fetch(address, { headers: { "X-Reason": "live" } });
  // Signed out, merged or moved meanwhile: the page itself knows what to show then.
  if (answer.redirected || answer.status === 404) location.reload();
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = document.importNode(page.querySelector(selector), true);
  localise(part);
  return part;
}

async function show(id) {
  const part = await drawn(`/customers/${customer}/interactions/${id}`, "article");
  const old = document.getElementById(part.id);
  if (old) {
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    part.querySelectorAll("details").forEach((one, place) => { one.open = opened[place] || false; });
    old.remove();
  }
  const older = [...list.children].find((one) => one.dataset.last <= part.dataset.last);
  list.insertBefore(part, older || null);
  part.classList.add("new");
  news.textContent = `New: ${part.querySelector("h3").textContent}`;
}

// Several events at once are drawn once; what can't be drawn now is drawn later.
function soon(id, delay = 200) {
  waiting.add(id);
  clearTimeout(timer);
  timer = setTimeout(showAll, delay);
}

async function showAll() {
  for (const id of [...waiting]) {
    waiting.delete(id);
    await show(id).catch(() => soon(id, 2000));
  }
}

// What they told already is found anew from all that is there; who is busy in it is not disturbed.
async function retell() {
  const old = document.getElementById("told-part");
  if (old.contains(document.activeElement)) return later();
  const opened = [...old.querySelectorAll("details")].map((one) => one.open);
  const part = await drawn(`/customers/${customer}`, "#told-part");
  const parts = [...part.querySelectorAll("details")];
  if (parts.length === opened.length) parts.forEach((one, place) => { one.open = opened[place]; });
  old.replaceWith(part);
}

function later(delay = 1000) {
  clearTimeout(telling);
  telling = setTimeout(() => retell().catch(() => later(5000)), delay);
}

async function introduce(members) {
  if (members === list.dataset.members) return;
  list.dataset.members = members;
  document.getElementById("who").replaceWith(await drawn(`/customers/${customer}`, "#who"));
  later();
}

const stream = new EventSource(`/v1/customers/${customer}/stream?after=${list.dataset.after}`);
stream.addEventListener("event", (message) => {
  soon(JSON.parse(message.data).interaction);
  later();
});
stream.addEventListener("customer", (message) => introduce(JSON.parse(message.data).members));
stream.addEventListener("reset", () => location.reload());
