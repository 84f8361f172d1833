// The same with @snowplow/node-tracker: node snowplow.js ADDRESS KEY COUNT [get]
import { buildPageView, buildSelfDescribingEvent, newTracker } from "@snowplow/node-tracker";

const [address, appId, count, eventMethod = "post"] = process.argv.slice(2);
const { hostname, port } = new URL(address);
let flushing;
let left = 1 + Number(count);
const done = new Promise((resolve) => {
  const onRequestSuccess = (batch) => {
    left -= batch.length;
    if (left === 0) resolve();
  };
  const tracker = newTracker(
    { namespace: "shop", appId },
    { endpoint: hostname, port: Number(port), protocol: "http", eventMethod, bufferSize: 50, onRequestSuccess },
  );
  tracker.setUserId("8812");
  tracker.setDomainUserId("anon-1");
  tracker.track(buildPageView({ pageUrl: "https://shop.example/returns", pageTitle: "Returns" }));
  for (let n = 0; n < Number(count); n += 1) {
    const event = { schema: "iglu:example.shop/Counted/jsonschema/1-0-0", data: { n } };
    tracker.track(buildSelfDescribingEvent({ event }));
  }
  flushing = setInterval(() => tracker.flush(), 300); // it posts again what failed only when something is flushed
});
await done;
clearInterval(flushing);
