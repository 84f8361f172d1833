// Times in the reader's own time zone; without this they stay in UTC, as the server wrote them.
"use strict";

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const form = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (at.getFullYear() !== new Date().getFullYear()) form.year = "numeric";
    const after = time.dataset.after && new Date(time.dataset.after);
    if (after && after.toDateString() === at.toDateString()) for (const part of ["day", "month", "year"]) delete form[part];
    time.textContent = at.toLocaleString("en-GB", form).replace(" at ", ", ");
    time.title = at.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium" });
  }
  const zone = root.querySelector("#zone");
  if (zone) zone.textContent = ZONE;
}

localise(document);
