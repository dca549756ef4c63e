"use strict";
// The page is whole without this: it adds a filter, the keys of the graph, and opens what is linked to.
(() => {
  const all = (selector, where = document) => [...where.querySelectorAll(selector)];

  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const found = id && document.getElementById(id);
    if (!found) return;
    found.hidden = false;
    for (let one = found; one; one = one.parentElement) if (one.localName === "details") one.open = true;
    found.scrollIntoView();
    if (found.localName === "details") found.firstElementChild.focus({ preventScroll: true });
  };

  // One node of the graph is reached with the tabulator, the others with the arrows.
  const rove = () => {
    const nodes = all("#graph a");
    nodes.forEach((node, at) => node.setAttribute("tabindex", at ? "-1" : "0"));
  };
  const middle = (node) => {
    const box = node.querySelector(".box");
    return { x: +box.getAttribute("x"), y: +box.getAttribute("y") };
  };
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const go = (event) => {
    const from = event.target.closest && event.target.closest("#graph a");
    const way = ways[event.key];
    if (!from || !way) return;
    event.preventDefault();
    const here = middle(from);
    let best = null, least = Infinity;
    for (const node of all("#graph a")) {
      const { x, y } = middle(node);
      const along = (x - here.x) * way[0] + (y - here.y) * way[1];
      const aside = Math.abs((x - here.x) * way[1]) + Math.abs((y - here.y) * way[0]);
      if (along > 0 && along + 3 * aside < least) { best = node; least = along + 3 * aside; }
    }
    if (!best) return;
    from.setAttribute("tabindex", "-1");
    best.setAttribute("tabindex", "0");
    best.focus();
  };

  const filter = () => {
    const place = document.getElementById("filter");
    if (!place) return;
    const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
    const label = (text, field) => { const one = make("label", text + " "); one.append(field); return one; };
    const search = make("input", "");
    search.type = "search";
    const status = make("select", "");
    status.append(new Option("all", ""));
    for (const one of ["pending", "running", "done", "failed", "blocked", "taken"])
      status.append(new Option(one, one));
    const count = make("span", "");
    count.className = "quiet";
    count.setAttribute("role", "status");
    const apply = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const nodes = all("#nodes > details");
      let shown = 0;
      for (const node of nodes) {
        const text = node.querySelector("summary").textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word));
        node.hidden = !fits || (status.value !== "" && node.dataset.status !== status.value);
        shown += !node.hidden;
      }
      count.textContent = shown === nodes.length ? "" : `${shown} of ${nodes.length} shown`;
    };
    const button = (text, open) => {
      const one = make("button", text);
      one.type = "button";
      one.addEventListener("click", () => all("#nodes > details").forEach((node) => { if (!node.hidden) node.open = open; }));
      return one;
    };
    search.addEventListener("input", apply);
    status.addEventListener("change", apply);
    document.addEventListener("director:changed", apply);
    place.append(label("Find", search), label("State", status), button("Open", true), button("Close", false), count);
    place.hidden = false;
  };

  document.addEventListener("keydown", go);
  document.addEventListener("director:changed", rove);
  addEventListener("hashchange", reveal);
  rove();
  filter();
  reveal();
})();
