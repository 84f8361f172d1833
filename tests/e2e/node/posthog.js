// A visitor who signs in, and many events, with posthog-node: node posthog.js ADDRESS KEY COUNT
import { PostHog } from "posthog-node";

const [host, key, count] = process.argv.slice(2);
const client = new PostHog(key, { host, flushAt: 50, fetchRetryDelay: 300 });
client.on("error", (error) => console.error(String(error)));

client.capture({ distinctId: "anon-1", event: "$pageview", properties: { $current_url: "https://shop.example/returns" } });
client.alias({ distinctId: "8812", alias: "anon-1" });
client.identify({ distinctId: "8812", properties: { email: "mari@example.com", name: "Mari Maasikas" } });
client.groupIdentify({ groupType: "company", groupKey: "g-1", properties: { name: "Initech" } });
for (let n = 0; n < Number(count); n += 1) {
  client.capture({ distinctId: "8812", event: "Counted", properties: { n } });
}
await client.shutdown();
