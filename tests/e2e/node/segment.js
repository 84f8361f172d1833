// Posts all kinds of calls and many tracked ones with @segment/analytics-node: node segment.js ADDRESS KEY COUNT
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, count] = process.argv.slice(2);
const client = new Analytics({ writeKey, host, flushAt: 50 });
client.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
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
await client.closeAndFlush();
