// What pages do: tables sort and filter, and what a link names opens. Without it they can be read all the same.
"use strict";

const board = (() => {
  const values = (row, place) => row.children[place].dataset.value ?? row.children[place].textContent;

  function compare(kind, place, up) {
    return (one, other) => {
      const [a, b] = [values(one, place), values(other, place)];
      // What is missing comes last, whichever way is up.
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = kind === "number" ? Number(a) - Number(b) : a.localeCompare(b);
      return up ? order : -order;
    };
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const first = [...table.tBodies[0].rows];
    heads.forEach((head, place) => {
      if (!head.dataset.sort) return;
      const title = head.querySelector("span") ?? head;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...title.childNodes);
      title.replaceChildren(button);
      button.addEventListener("click", () => {
        const usual = "up" in head.dataset;
        const now = head.getAttribute("aria-sort");
        const up = now === null ? usual : now !== "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        table.tBodies[0].append(...[...first].sort(compare(head.dataset.sort, place, up)));
      });
    });
  }

  function filtered(controls) {
    const rows = [...document.getElementById(controls.dataset.filters).tBodies[0].rows];
    const told = controls.querySelector("output");
    const show = () => {
      let shown = 0;
      for (const row of rows) {
        const passes = [...controls.querySelectorAll("[data-filter]")].every((one) => {
          const wanted = one.value.trim().toLowerCase();
          const held = (row.dataset[one.dataset.filter] ?? "").toLowerCase();
          return one.tagName === "SELECT" ? !wanted || held === wanted : held.includes(wanted);
        });
        row.hidden = !passes;
        shown += passes;
      }
      told.textContent = told.dataset.told.replace("{shown}", shown).replace("{all}", rows.length);
    };
    controls.hidden = false;
    controls.addEventListener("input", show);
    show();
  }

  function opened() {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = named; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    named?.scrollIntoView();
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("table[data-sorted]").forEach(sortable);
    document.querySelectorAll("[data-filters]").forEach(filtered);
    opened();
  });
  window.addEventListener("hashchange", opened);
  return {};
})();
