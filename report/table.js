// Filter and sort for the tables of claims and of jobs, and the pictures of the appendix. Without it the page shows all but
// these.
(() => {
  "use strict";
  const SUPERSCRIPTS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹";
  const number = (text) => {
    const plain = text.replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1");
    const found = plain.match(/^(-?\d+(?:\.\d+)?)(?:·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/);
    if (!found) return null;
    const power = [...(found[2] || "")].map((c) => "-0123456789"[SUPERSCRIPTS.indexOf(c)]).join("");
    return Number(found[1]) * 10 ** Number(power || 0);
  };
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  let count = 0;
  const enhance = (table, what) => {
    const body = table.tBodies[0];
    const heads = [...table.querySelectorAll("thead th")];
    if (!body || body.rows.length < 2 || !heads.length) return;
    const rows = [...body.rows];
    const text = (row, i) => row.cells[i].textContent.trim();
    const id = `tool${++count}`;
    const words = make("input", { type: "search", id: `${id}w`, autocomplete: "off" });
    const kinds = [...new Set(rows.flatMap((r) => [...r.querySelectorAll(".verdict")].map((v) => v.textContent.trim())))];
    const kind = make("select", { id: `${id}k` }, make("option", { value: "", textContent: "all" }));
    kinds.sort().forEach((k) => kind.append(make("option", { value: k, textContent: k })));
    const by = make("select", { id: `${id}s` }, make("option", { value: "", textContent: "as given" }));
    heads.forEach((h, i) => {
      const name = h.textContent.trim();
      by.append(make("option", { value: `${i} 1`, textContent: `${name}, up` }));
      by.append(make("option", { value: `${i} -1`, textContent: `${name}, down` }));
    });
    const said = make("output", { htmlFor: words.id });
    said.setAttribute("aria-live", "polite");
    const show = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row) => {
        const all = row.textContent.toLowerCase();
        const verdicts = [...row.querySelectorAll(".verdict")].map((v) => v.textContent.trim());
        row.hidden = !(wanted.every((w) => all.includes(w)) && (!kind.value || verdicts.includes(kind.value)));
        shown += row.hidden ? 0 : 1;
      });
      said.textContent = `${shown} of ${rows.length} ${what}`;
    };
    const sort = () => {
      const [i, sign] = by.value ? by.value.split(" ").map(Number) : [-1, 1];
      heads.forEach((h, j) => h.setAttribute("aria-sort", j !== i ? "none" : sign > 0 ? "ascending" : "descending"));
      const sorted = i < 0 ? rows : [...rows].sort((a, b) => sign * order(text(a, i), text(b, i)));
      body.append(...sorted);
    };
    heads.forEach((h, i) => {
      const button = make("button", { type: "button", className: "sort" }, ...h.childNodes);
      button.addEventListener("click", () => {
        by.value = by.value === `${i} 1` ? `${i} -1` : `${i} 1`;
        sort();
      });
      h.append(button);
    });
    words.addEventListener("input", show);
    kind.addEventListener("change", show);
    by.addEventListener("change", sort);
    const field = (name, control) => make("label", { htmlFor: control.id }, make("span", { textContent: name }), control);
    const tools = make("div", { className: "tools" }, field("Filter", words));
    if (kinds.length > 1) tools.append(field("Verdict", kind));
    tools.append(field("Sort by", by), said);
    (table.closest(".tablewrap") || table).before(tools);
    sort();
    show();
  };
  // What a link leads to, or what is printed, is not left folded.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.querySelectorAll(":scope > details").forEach((fold) => (fold.open = true));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
  // Pictures of the appendix are packed, and unpacked once the rest of the page is shown.
  const unpack = async (picture) => {
    const packed = Uint8Array.from(atob(picture.dataset.packed), (c) => c.charCodeAt(0));
    delete picture.dataset.packed;
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const svg = await new Response(stream).text();
    picture.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  };
  const unpackAll = () => Promise.all([...document.querySelectorAll("img[data-packed]")].map(unpack));
  addEventListener("load", () => setTimeout(unpackAll));
  addEventListener("beforeprint", unpackAll);
  document.querySelectorAll(".ledger table").forEach((table) => enhance(table, "claims"));
  document.querySelectorAll(".jobs table").forEach((table) => enhance(table, "rows"));
  reveal();
})();
