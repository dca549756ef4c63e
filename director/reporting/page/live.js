"use strict";
// Asks for the parts that have changed, and puts them in their places; what is open stays open.
(() => {
  const every = 2000;
  const says = document.getElementById("live");
  let version = Number(document.body.dataset.version);

  const keyed = (part) => [part, ...part.querySelectorAll("details")].filter((one) => one.localName === "details");
  const path = (part, one) => {
    const keys = [];
    for (let at = one; at; at = at === part ? null : at.parentElement) if (at.dataset && at.dataset.key) keys.push(at.dataset.key);
    return keys.join("/");
  };

  const replace = (id, html) => {
    const old = document.getElementById(id);
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (!old || !fresh) return false;
    const open = new Map(keyed(old).map((one) => [path(old, one), one.open]));
    for (const one of keyed(fresh)) { const was = open.get(path(fresh, one)); if (was !== undefined) one.open = was; }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const href = focused && focused.getAttribute("href");
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    fresh.hidden = old.hidden;
    old.replaceWith(fresh);
    [...fresh.querySelectorAll(".scroll")].forEach((one, at) => { if (scrolled[at]) [one.scrollLeft, one.scrollTop] = scrolled[at]; });
    if (href) { const again = [...fresh.querySelectorAll("a")].find((one) => one.getAttribute("href") === href); if (again) again.focus({ preventScroll: true }); }
    else if (focused && focused.localName === "summary") { const again = keyed(fresh).find((one) => path(fresh, one) === path(old, focused.parentElement)); if (again) again.firstElementChild.focus({ preventScroll: true }); }
    return true;
  };

  const verdict = () => { const one = document.querySelector("#verdict h1"); return one ? one.textContent : ""; };
  const say = (text) => { if (says.textContent !== text) says.textContent = text; };

  const ask = async () => {
    try {
      const answer = await fetch(`state?since=${version}`, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      if (news.reload) { location.reload(); return; }
      const before = verdict();
      for (const [id, html] of Object.entries(news.parts)) if (!replace(id, html)) { location.reload(); return; }
      const changed = news.version !== version;
      version = news.version;
      document.title = news.title;
      if (changed) document.dispatchEvent(new Event("director:changed"));
      say(verdict() !== before ? verdict() : says.dataset.lost ? "" : says.textContent);
      delete says.dataset.lost;
    } catch {
      says.dataset.lost = "1";
      say("director ui does not answer: this is how the job stood when it last did.");
    }
    setTimeout(ask, every);
  };
  setTimeout(ask, every);
})();
