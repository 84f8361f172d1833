// Live additions: the stream says what happened, the server draws it. Without this a reload shows the same.
"use strict";

const list = document.getElementById("interactions");
const news = document.getElementById("news");
const standstill = document.getElementById("standstill");
const customer = list.dataset.customer;
const waiting = new Set();
let timer = 0;
let telling = 0;
let members = list.dataset.members; // by the stream; the list has those who are drawn
let place = list.dataset.after;
let stream;
let again = 0;
let silence = 0;

async function drawn(address, selector) {
  const answer = await fetch(address, { headers: { "X-Reason": "live" } });
  // Signed out, merged or moved meanwhile: the page itself knows what to show then.
  if (answer.redirected || answer.status === 404) return reload();
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = document.importNode(page.querySelector(selector), true);
  localise(part);
  return part;
}

// A note that is half written would be lost. Whoever waits for what can't be drawn any more waits for ever.
function reload() {
  if (document.getElementById("note").value.trim()) {
    leave();
    document.removeEventListener("visibilitychange", follow);
    standstill.textContent = "This page is out of date. Save your note, or load the page again.";
  } else {
    location.reload();
  }
  return new Promise(() => {});
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
  const isBusy = () => document.getElementById("told-part").contains(document.activeElement);
  if (isBusy()) return later();
  const part = await drawn(`/customers/${customer}`, "#told-part");
  if (isBusy()) return later();
  const old = document.getElementById("told-part");
  const opened = [...old.querySelectorAll("details")].map((one) => one.open);
  const parts = [...part.querySelectorAll("details")];
  if (parts.length === opened.length) parts.forEach((one, place) => { one.open = opened[place]; });
  old.replaceWith(part);
}

function later(delay = 1000) {
  clearTimeout(telling);
  telling = setTimeout(() => retell().catch(() => later(5000)), delay);
}

async function introduce() {
  if (members === list.dataset.members) return;
  const drawing = members;
  const part = await drawn(`/customers/${customer}`, "#who");
  document.getElementById("who").replaceWith(part);
  list.dataset.members = drawing;
  later();
}

function acquaint() {
  introduce().catch(() => setTimeout(acquaint, 2000));
}

function leave() {
  clearTimeout(again);
  clearTimeout(silence);
  silence = 0;
  stream?.close();
}

function warn() {
  silence ||= setTimeout(() => {
    standstill.textContent = "Not live: the server does not answer. It is asked again; loading the page again may tell more.";
  }, 3000);
}

// Go on after the last event that came. A hidden page has no stream, for browsers open but six to one server. A stream
// comes again by itself after a network's error, after any answer that is not 200 it does not.
function follow() {
  leave();
  if (document.hidden) return;
  warn();
  stream = new EventSource(`/v1/customers/${customer}/stream?after=${place}`);
  stream.addEventListener("open", () => {
    clearTimeout(silence);
    silence = 0;
    standstill.textContent = "";
  });
  stream.addEventListener("error", () => {
    warn();
    if (stream.readyState === EventSource.CLOSED) again = setTimeout(follow, 4000 + 2000 * Math.random());
  });
  stream.addEventListener("event", (message) => {
    place = message.lastEventId;
    soon(JSON.parse(message.data).interaction);
    later();
  });
  stream.addEventListener("customer", (message) => {
    members = JSON.parse(message.data).members;
    acquaint();
  });
  stream.addEventListener("reset", reload);
}

document.addEventListener("visibilitychange", follow);
follow();
