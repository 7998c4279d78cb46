// Draws the pictures of the page's data with Graphviz, and lets the reader look around in them.
// Everything that the data hold is put on the page as text, never as markup.
"use strict";
(async () => {
  const MOST = 900; // boxes that are laid out at once
  const FEW = 100; // more of them are laid out with less effort, which is a matter of seconds instead of minutes
  const QUICK = { nslimit: 1, nslimit1: 1, mclimit: 0.2, splines: "line" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const one = (id) => document.getElementById(id);
  const viz = await Viz.instance();
  const panes = data.pictures.map((picture, number) => ({
    picture,
    number,
    byId: new Map(picture.vertices.map((vertex) => [vertex.id, vertex])),
    groups: new Map(picture.groups.map((group) => [group.id, { ...group }])),
    members: new Map(),
    box: null,
  }));
  for (const pane of panes) {
    for (const vertex of pane.picture.vertices) {
      for (let own = vertex.group; own !== null; own = pane.groups.get(own).parent) {
        if (!pane.members.has(own)) pane.members.set(own, []);
        pane.members.get(own).push(vertex);
      }
    }
  }
  let colour = data.colours.includes(data.colour) ? data.colour : "operation";
  let shownStep = 0;
  let chosen = null; // { pane, id }
  let matches = [];
  let match = -1;

  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  // What is drawn ---------------------------------------------------------------------------------------------------

  const foldedAround = (pane, own) => {
    let found = null;
    for (; own !== null; own = pane.groups.get(own).parent) if (pane.groups.get(own).folded) found = own;
    return found;
  };

  const placeOf = (pane, id) => (pane.byId.has(id) ? foldedAround(pane, pane.byId.get(id).group) ?? id : id);

  const amount = (vertex) => (colour === "memory" ? vertex.live : vertex.seconds ?? 0);
  const total = (vertices) =>
    colour === "memory" ? Math.max(0, ...vertices.map(amount)) : vertices.reduce((sum, vertex) => sum + amount(vertex), 0);

  const scale = (share) => {
    const rest = Math.round(255 * (1 - 0.75 * Math.min(Math.max(share, 0), 1)));
    const hex = rest.toString(16).padStart(2, "0");
    return `#ff${hex}${hex}`;
  };

  const colourOf = (vertex, most) => {
    if (vertex.kind !== "node" || colour === "operation") return vertex.colour;
    if (colour === "backend") return data.backends[vertex.backend] ?? "#ffffff";
    return scale(most ? amount(vertex) / most : 0);
  };

  // In Graphviz's texts a backslash and an ampersand begin something.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("\\", "\\\\");

  const contentOf = (vertices) => {
    const counts = new Map();
    for (const vertex of vertices) {
      const name = vertex.title.split(" ")[0];
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    const words = sorted.slice(0, 4).map(([name, count]) => (count === 1 ? name : `${count} ${name}`));
    return words.join(", ") + (sorted.length > 4 ? ", ..." : "");
  };

  const graphOf = (pane) => {
    const picture = pane.picture;
    const nodes = picture.vertices.filter((vertex) => vertex.kind === "node");
    const around = new Map([...pane.groups.keys()].map((own) => [own, foldedAround(pane, own)]));
    const folded = new Set();
    const inside = new Map();
    const put = (group, item) => {
      if (!inside.has(group)) inside.set(group, []);
      inside.get(group).push(item);
    };
    for (const vertex of picture.vertices) {
      const instead = vertex.group === null ? null : around.get(vertex.group);
      if (instead === null) put(vertex.group, vertex);
      else folded.add(instead);
    }
    const most = Math.max(total(nodes.slice(0, 0)), ...nodes.map(amount), ...[...folded].map((own) => total(pane.members.get(own))));
    const drawn = (vertex) => ({
      name: vertex.id,
      attributes: {
        id: `p${pane.number}-${vertex.id}`,
        label: plain([vertex.title, ...vertex.lines].join("\n")),
        shape: vertex.kind === "node" ? "box" : "ellipse",
        fillcolor: colourOf(vertex, most),
        ...(vertex.changed ? { penwidth: 3, color: "#b85450" } : {}),
      },
    });
    const closed = (own) => {
      const members = pane.members.get(own);
      const share = colour === "memory" || colour === "time";
      return {
        name: own,
        attributes: {
          id: `p${pane.number}-${own}`,
          label: plain(`${pane.groups.get(own).title}\n${members.length} nodes: ${contentOf(members)}`),
          shape: "box3d",
          style: "filled",
          fillcolor: share ? scale(most ? total(members) / most : 0) : "#f5f5f5",
        },
      };
    };
    const level = (group) => ({
      nodes: [
        ...(inside.get(group) ?? []).map(drawn),
        ...[...folded].filter((own) => pane.groups.get(own).parent === group).map(closed),
      ],
      subgraphs: [...pane.groups.values()]
        .filter((own) => own.parent === group && around.get(own.id) === null)
        .map((own) => ({
          name: `cluster_${own.id}`,
          graphAttributes: {
            id: `p${pane.number}-${own.id}`,
            label: plain(own.title),
            fontname: "Helvetica",
            fontsize: 10,
            color: own.kind === "gradient" ? "#9673a6" : "#bbbbbb",
            style: own.kind === "gradient" ? "dashed" : "solid",
          },
          ...level(own.id),
        })),
    });
    const between = new Map();
    for (const [source, target, label, update] of picture.edges) {
      const [tail, head] = [placeOf(pane, source), placeOf(pane, target)];
      if (tail === head && source !== target) continue;
      const key = `${tail} ${head} ${update}`;
      if (!between.has(key)) between.set(key, { tail, head, update, labels: new Set() });
      if (label) between.get(key).labels.add(label);
    }
    const edges = [...between.values()].map(({ tail, head, update, labels }) => ({
      tail,
      head,
      attributes: {
        ...(labels.size ? { label: plain(labels.size === 1 ? [...labels][0] : `${labels.size} values`) } : {}),
        ...(update ? { style: "dashed", color: "#d79b00", constraint: false } : {}),
      },
    }));
    const count = picture.vertices.filter((vertex) => placeOf(pane, vertex.id) === vertex.id).length + folded.size;
    return {
      count,
      graph: {
        graphAttributes: { rankdir: "TB", fontname: "Helvetica", ...(count > FEW ? QUICK : {}) },
        nodeAttributes: { fontname: "Helvetica", fontsize: 10, shape: "box", style: "rounded,filled", fillcolor: "white" },
        edgeAttributes: { fontname: "Helvetica", fontsize: 8, color: "#666666" },
        ...level(null),
        edges,
      },
    };
  };

  const draw = (pane) => {
    const { graph, count } = graphOf(pane);
    pane.canvas.replaceChildren();
    if (count > MOST) {
      pane.svg = null;
      pane.canvas.append(make("p", `${count} boxes are too many to draw at once: fold some parts.`, "note"));
      return;
    }
    const svg = document.importNode(viz.renderSVGElement(graph), true);
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", `Graph ${pane.picture.title}, ${count} boxes`);
    for (const title of [...svg.querySelectorAll("title")]) title.remove();
    for (const element of svg.querySelectorAll("g.node, g.cluster")) {
      const id = element.id.slice(element.id.indexOf("-") + 1);
      element.dataset.vertex = id;
      element.setAttribute("role", "button");
      element.setAttribute("tabindex", "0");
      const vertex = pane.byId.get(id);
      element.setAttribute("aria-label", vertex ? [vertex.title, ...vertex.lines].join(", ") : pane.groups.get(id).title);
      if (!vertex) element.setAttribute("aria-expanded", String(!pane.groups.get(id).folded));
    }
    pane.svg = svg;
    pane.canvas.append(svg);
    const [x, y, width, height] = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
    pane.whole = { x, y, width, height };
    if (pane.box === null) fit(pane);
    show(pane);
    mark();
  };

  const elementOf = (pane, id) => pane.svg && pane.svg.querySelector(`[data-vertex="${CSS.escape(id)}"]`);

  const mark = () => {
    for (const element of document.querySelectorAll("g.found, g.chosen")) element.classList.remove("found", "chosen");
    for (const { pane, id } of matches) elementOf(pane, placeOf(pane, id))?.classList.add("found");
    if (chosen) elementOf(chosen.pane, placeOf(chosen.pane, chosen.id))?.classList.add("chosen");
  };

  // The view --------------------------------------------------------------------------------------------------------

  const show = (pane) => {
    const { x, y, width, height } = pane.box;
    pane.svg?.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  };

  const fit = (pane) => {
    pane.box = { ...pane.whole };
    // Small print is no help: a tall picture begins at its top, at a size that can be read.
    const size = pane.canvas.getBoundingClientRect();
    const shrink = Math.max(pane.whole.width / size.width, pane.whole.height / size.height);
    if (shrink > 2.2 && size.width && size.height) {
      pane.box.width = size.width * 1.6;
      pane.box.height = size.height * 1.6;
      pane.box.x = pane.whole.x + (pane.whole.width - pane.box.width) / 2;
      show(pane);
      const first = pane.svg.querySelector("g.node")?.getBoundingClientRect();
      if (first) pane.box.x = pointOf(pane, { clientX: first.x + first.width / 2, clientY: 0 }).x - pane.box.width / 2;
    }
    show(pane);
  };

  const all = (pane) => {
    pane.box = { ...pane.whole };
    show(pane);
  };

  const zoom = (pane, factor, at) => {
    const box = pane.box;
    const point = at ?? { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    box.x = point.x - (point.x - box.x) * factor;
    box.y = point.y - (point.y - box.y) * factor;
    box.width *= factor;
    box.height *= factor;
    show(pane);
  };

  const pointOf = (pane, event) => {
    const matrix = pane.svg.getScreenCTM();
    return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : null;
  };

  const centre = (pane, id) => {
    const element = elementOf(pane, id);
    if (!element) return;
    const rect = element.getBoundingClientRect();
    const point = pointOf(pane, { clientX: rect.x + rect.width / 2, clientY: rect.y + rect.height / 2 });
    pane.box.x = point.x - pane.box.width / 2;
    pane.box.y = point.y - pane.box.height / 2;
    show(pane);
  };

  // Folding, choosing, searching ------------------------------------------------------------------------------------

  const toggle = (pane, own) => {
    const group = pane.groups.get(own);
    if (!group) return;
    const before = elementOf(pane, own)?.getBoundingClientRect();
    group.folded = !group.folded;
    draw(pane);
    // What was at this place stays in sight: the group, or the first of what was in it.
    if (before && pane.svg) centre(pane, group.folded ? own : placeOf(pane, pane.members.get(own)[0].id));
    choose(pane, own);
    elementOf(pane, own)?.focus({ preventScroll: true });
  };

  const setAll = (folded) => {
    for (const pane of visiblePanes()) {
      for (const group of pane.groups.values()) if (group.kind !== "gradient") group.folded = folded;
      pane.box = null;
      draw(pane);
    }
  };

  const choose = (pane, id) => {
    chosen = { pane, id };
    mark();
    const details = one("details");
    details.replaceChildren();
    const list = make("dl");
    const add = (key, text, name) => list.append(make("dt", key), make("dd", text, name));
    const vertex = pane.byId.get(id);
    if (vertex) {
      details.append(make("h2", vertex.title));
      for (const [key, text] of vertex.details) add(key, text, key === "source" ? "source" : "");
      details.append(list);
      if (vertex.code >= 0) details.append(make("h2", "Kernel"), make("pre", data.codes[vertex.code]));
      for (let own = vertex.group; own !== null; own = pane.groups.get(own).parent) details.append(folder(pane, own));
    } else if (pane.groups.has(id)) {
      const members = pane.members.get(id) ?? [];
      details.append(make("h2", pane.groups.get(id).title));
      add("nodes", String(members.length));
      add("operations", contentOf(members));
      const timed = members.filter((member) => member.seconds !== null);
      if (timed.length) add("time", `${(1e6 * timed.reduce((sum, member) => sum + member.seconds, 0)).toFixed(1)} µs`);
      add("alive", `${Math.max(0, ...members.map((member) => member.live)).toLocaleString("en")} bytes at most`);
      details.append(list, folder(pane, id));
    }
  };

  const folder = (pane, own) => {
    const group = pane.groups.get(own);
    const button = make("button", `${group.folded ? "Unfold" : "Fold"} ${group.title}`, "folder");
    button.type = "button";
    button.addEventListener("click", () => toggle(pane, own));
    const paragraph = make("p");
    paragraph.append(button);
    return paragraph;
  };

  const search = () => {
    const query = one("query").value.trim().toLowerCase();
    matches = [];
    match = -1;
    if (query) {
      for (const pane of visiblePanes()) {
        for (const vertex of pane.picture.vertices) {
          const text = [vertex.title, ...vertex.lines, ...vertex.details.map(([, value]) => value)].join("\n");
          if (text.toLowerCase().includes(query)) matches.push({ pane, id: vertex.id });
        }
      }
    }
    one("found").textContent = query ? `${matches.length} found` : "";
    mark();
  };

  const next = () => {
    if (!matches.length) return;
    match = (match + 1) % matches.length;
    const { pane, id } = matches[match];
    let folded = false;
    for (let own = pane.byId.get(id).group; own !== null; own = pane.groups.get(own).parent) {
      folded ||= pane.groups.get(own).folded;
      pane.groups.get(own).folded = false;
    }
    if (folded) draw(pane);
    choose(pane, id);
    centre(pane, id);
    one("found").textContent = `${match + 1} of ${matches.length}`;
  };

  // The page --------------------------------------------------------------------------------------------------------

  const visiblePanes = () => (data.steps ? [panes[shownStep]] : panes);

  const legend = () => {
    const parts = [];
    const swatch = (fill, text) => {
      const square = make("span", "", "swatch");
      square.style.background = fill;
      parts.push(square, text);
    };
    if (colour === "backend") for (const [name, fill] of Object.entries(data.backends)) swatch(fill, name);
    else if (colour === "operation") {
      for (const [fill, text] of [["#d5e8d4", "input"], ["#ffe6cc", "state"], ["#f8cecc", "result"], ["#dae8fc", "product"],
        ["#e1d5e7", "reduction"], ["#fff2cc", "random"]]) swatch(fill, text);
    } else {
      const most = Math.max(0, ...panes.flatMap((pane) => pane.picture.vertices.filter((v) => v.kind === "node").map(amount)));
      swatch(scale(0), "0");
      swatch(scale(1), colour === "memory" ? `${most.toLocaleString("en")} bytes alive` : `${(1e6 * most).toFixed(1)} µs`);
    }
    one("legend").replaceChildren(...parts);
  };

  const layOut = () => {
    one("panes").replaceChildren();
    for (const pane of visiblePanes()) {
      const section = make("section", undefined, "pane");
      section.setAttribute("aria-label", pane.picture.title);
      if (panes.length > 1) section.append(make("h2", pane.picture.title));
      pane.canvas = make("div", undefined, "canvas");
      pane.canvas.tabIndex = 0;
      section.append(pane.canvas);
      one("panes").append(section);
      listen(pane);
    }
    for (const pane of visiblePanes()) draw(pane);
  };

  const listen = (pane) => {
    const canvas = pane.canvas;
    let held = null;
    let moved = false;
    canvas.addEventListener("wheel", (event) => {
      if (!pane.svg) return;
      event.preventDefault();
      zoom(pane, event.deltaY > 0 ? 1.15 : 1 / 1.15, pointOf(pane, event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      held = pane.svg && event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      if (!moved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 4) return;
      if (!moved) canvas.setPointerCapture(event.pointerId);
      moved = true;
      const perPixel = 1 / pane.svg.getScreenCTM().a;
      pane.box.x -= (event.clientX - held.x) * perPixel;
      pane.box.y -= (event.clientY - held.y) * perPixel;
      held = { x: event.clientX, y: event.clientY };
      show(pane);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
    const target = (event) => event.target.closest?.("[data-vertex]")?.dataset.vertex;
    canvas.addEventListener("click", (event) => {
      const id = target(event);
      if (id !== undefined && !moved) choose(pane, id);
    });
    canvas.addEventListener("dblclick", (event) => {
      const id = target(event);
      if (id !== undefined && pane.groups.has(id)) toggle(pane, id);
    });
    canvas.addEventListener("keydown", (event) => {
      if (!pane.svg || event.ctrlKey || event.metaKey || event.altKey) return;
      const id = target(event);
      const step = pane.box.width / 12;
      const keys = {
        ArrowLeft: () => { pane.box.x -= step; show(pane); },
        ArrowRight: () => { pane.box.x += step; show(pane); },
        ArrowUp: () => { pane.box.y -= step; show(pane); },
        ArrowDown: () => { pane.box.y += step; show(pane); },
        "+": () => zoom(pane, 1 / 1.25),
        "-": () => zoom(pane, 1.25),
        0: () => all(pane),
        "/": () => one("query").focus(),
        Enter: () => id !== undefined && choose(pane, id),
        " ": () => id !== undefined && choose(pane, id),
        f: () => id !== undefined && toggle(pane, id),
      };
      if (keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
  };

  const goTo = (step) => {
    shownStep = Math.min(Math.max(step, 0), panes.length - 1);
    one("step").value = String(shownStep);
    chosen = null;
    layOut();
    search();
  };

  one("title").textContent = data.title;
  for (const name of data.colours) one("colour").append(make("option", name));
  one("colour").value = colour;
  one("colour").addEventListener("change", () => {
    colour = one("colour").value;
    legend();
    for (const pane of visiblePanes()) draw(pane);
  });
  one("search").addEventListener("submit", (event) => { event.preventDefault(); next(); });
  one("query").addEventListener("input", search);
  one("closer").addEventListener("click", () => visiblePanes().forEach((pane) => zoom(pane, 1 / 1.25)));
  one("farther").addEventListener("click", () => visiblePanes().forEach((pane) => zoom(pane, 1.25)));
  one("fit").addEventListener("click", () => visiblePanes().forEach(all));
  one("fold").addEventListener("click", () => setAll(true));
  one("unfold").addEventListener("click", () => setAll(false));
  const foldable = panes.some((pane) => pane.groups.size > 0);
  one("fold").hidden = one("unfold").hidden = !foldable;
  if (data.steps) {
    one("steps").hidden = false;
    panes.forEach((pane, number) => {
      const option = make("option", pane.picture.title);
      option.value = String(number);
      one("step").append(option);
    });
    one("step").addEventListener("change", () => goTo(Number(one("step").value)));
    one("back").addEventListener("click", () => goTo(shownStep - 1));
    one("on").addEventListener("click", () => goTo(shownStep + 1));
  }
  legend();
  layOut();
  document.body.dataset.ready = "yes";
})().catch((error) => {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = `The picture could not be drawn: ${error}`;
  document.getElementById("panes").append(note);
  document.body.dataset.ready = "failed";
});
