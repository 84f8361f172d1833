// The same with @rudderstack/rudder-sdk-node: node rudderstack.js ADDRESS KEY COUNT
import Analytics from "@rudderstack/rudder-sdk-node";

const [dataPlaneUrl, writeKey, count] = process.argv.slice(2);
const client = new Analytics(writeKey, {
  dataPlaneUrl,
  flushAt: 50,
  errorHandler: (error) => {
    console.error(error);
    process.exitCode = 1;
  },
});

const userId = "8812";
client.identify({ userId, traits: { email: "mari@example.com", name: "Mari Maasikas" } });
client.track({ userId, event: "Order Completed", properties: { orderId: "1001", total: 19.9, currency: "EUR" } });
client.page({ userId, name: "Returns", properties: { url: "https://shop.example/returns" } });
client.screen({ userId, name: "Orders" });
client.group({ userId, groupId: "g-1", traits: { name: "Initech" } });
client.alias({ userId, previousId: "device-1" });
for (let n = 0; n < Number(count); n += 1) {
  client.track({ anonymousId: "device-1", event: "Counted", properties: { n } });
}
// A flush takes 50; those it started by itself end before the process does.
while (client.queue.length) {
  await client.flush();
}
