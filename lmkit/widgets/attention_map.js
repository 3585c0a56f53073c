// <lmkit-attention-map>: draws the maps that lmkit.widgets.attention_map packed into its attributes.
// Token text only ever goes through textContent, canvas text and SVG text nodes, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-attention-map")) return;

  const CSS = "__CSS__";
  // One hue each, lightness rising or falling all the way: more attention stands out more from the page.
  const RAMPS = {
    light: ["e9eef6", "b7cce6", "739fd0", "37699f", "0d2b57"],
    dark: ["222a36", "2d4a72", "4d7fb8", "8fbde0", "f1f8fe"],
  };
  const PAPER = { light: "#ffffff", dark: "#15191f" };
  const INK = { light: "#1f2733", dark: "#e7ebf1" };
  const SOFT = { light: "#5c6776", dark: "#a0abba" };
  const ACCENT = { light: "#b3470b", dark: "#ff9d5c" };
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
  const LARGEST_CELL = 40; // CSS pixels
  const VALUES_FROM = 27; // cells this wide have room for a number
  const SEAMS_FROM = 13; // and these for a thin line between cells
  const LONG = 64; // tokens; above it the strip shows shades only, without numbers

  // ---- small pure functions ----

  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
  const bytesOf = (hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));

  function ramp(stops) {
    const rgb = stops.map(bytesOf);
    return Array.from({ length: 256 }, (_, i) => {
      const at = (i / 255) * (rgb.length - 1);
      const low = Math.min(Math.floor(at), rgb.length - 2);
      return rgb[low].map((c, j) => Math.round(c + (rgb[low + 1][j] - c) * (at - low)));
    });
  }
  const COLOURS = { light: ramp(RAMPS.light), dark: ramp(RAMPS.dark) };
  const css = (rgb) => `rgb(${rgb.join(" ")})`;
  const linear = (c) => (c <= 10 ? c / 3295 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const readableOn = (rgb) => (luminance(rgb) > 0.179 ? "#000000" : "#ffffff"); // the better contrast, at least 4.5 : 1

  async function unpack(base64, deflated) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    if (!deflated) return bytes;
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // __PAGE__

  function save(blob, name) {
    const link = el("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  const measure = document.createElement("canvas").getContext("2d");
  function widest(labels, font) {
    measure.font = font;
    let most = 0;
    for (const label of labels) most = Math.max(most, measure.measureText(label).width);
    return most;
  }
  function shortened(ctx, label, room) {
    if (ctx.measureText(label).width <= room) return label;
    const letters = Array.from(label);
    while (letters.length > 1 && ctx.measureText(letters.join("") + "…").width > room) letters.pop();
    return letters.join("") + "…";
  }

  // ---- the numbers ----

  class Weights {
    constructor(bytes, { bits, layers, n_heads, T, S }) {
      Object.assign(this, { n_layers: layers.length, n_heads, T, S });
      const cells = this.n_layers * n_heads * T * S;
      this.most = 2 ** bits - 1;
      this.digits = bits === 16 ? 3 : 2;
      this.codes = bits === 16 ? new Uint16Array(bytes.buffer, 0, cells) : bytes.subarray(0, cells);
      this.zero = bytes.subarray((cells * bits) / 8);
    }
    head(layer, head) {
      const n = this.T * this.S, start = (layer * this.n_heads + head) * n;
      return this.codes.subarray(start, start + n);
    }
    isZero(layer, q, k) { // exactly 0 in every head of the layer
      const i = (layer * this.T + q) * this.S + k;
      return (this.zero[i >> 3] >> (7 - (i & 7))) & 1;
    }
    largest(layer, head, q) {
      let most = 0;
      for (const code of this.head(layer, head).subarray(q * this.S, (q + 1) * this.S)) most = Math.max(most, code);
      return most / this.most;
    }
    at(layer, head, q, k) { return this.head(layer, head)[q * this.S + k] / this.most; }
    text(value) { return value.toFixed(this.digits); }

    // One pixel a cell, or with `side` at most that many pixels a side, each the largest weight of its block.
    image(layer, head, theme, perRow, side = Infinity) {
      const { T, S, most } = this, codes = this.head(layer, head), colours = COLOURS[theme];
      const block = Math.max(1, Math.ceil(Math.max(T, S) / side));
      const width = Math.ceil(S / block), height = Math.ceil(T / block);
      const level = new Int16Array(width * height).fill(-1); // -1: exactly 0
      for (let q = 0; q < T; q++) {
        const full = perRow ? this.largest(layer, head, q) * most || 1 : most;
        const scale = 255 / full, row = Math.floor(q / block) * width;
        for (let k = 0; k < S; k++) {
          const code = codes[q * S + k];
          if (!code && this.isZero(layer, q, k)) continue;
          const at = row + (block === 1 ? k : Math.floor(k / block)), value = Math.round(code * scale);
          if (value > level[at]) level[at] = value;
        }
      }
      const pixels = new ImageData(width, height);
      for (let i = 0; i < level.length; i++) {
        if (level[i] < 0) continue; // stays transparent: the paper shows through
        const [r, g, b] = colours[level[i]];
        pixels.data.set([r, g, b, 255], 4 * i);
      }
      const canvas = el("canvas", { width, height });
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      return canvas;
    }
  }

  // ---- the element ----

  class AttentionMap extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) this.ready = this.build().then(() => true, (error) => this.giveUp(error));
      this.unfollow = followTheme(() => this.ready.then((alive) => alive && this.setTheme()));
      this.sizes = new ResizeObserver(() => this.ready.then((alive) => alive && this.layout()));
      this.sizes.observe(this);
    }

    disconnectedCallback() {
      this.unfollow?.();
      this.sizes?.disconnect();
    }

    giveUp(error) { // the plain picture is better than half a map
      (this.shadowRoot ?? this.attachShadow({ mode: "open" })).replaceChildren(document.createElement("slot"));
      console.warn("lmkit attention map: showing the plain picture instead,", error);
      return false;
    }

    async build() {
      const root = this.attachShadow({ mode: "open" });
      const config = JSON.parse(this.dataset.config);
      Object.assign(this, config); // none of these names is one that HTMLElement has
      this.self = !config.keys;
      this.keys = config.keys ?? config.queries;
      Object.assign(config, { T: this.queries.length, S: this.keys.length });
      this.weights = new Weights(await unpack(this.dataset.weights, config.deflated), config);
      this.T = config.T;
      this.S = config.S;
      this.zoom = 1;
      this.perRow = false;
      this.pinned = { q: this.query, k: null };
      this.hover = null;
      root.append(el("style", {}, CSS), this.dom());
      this.setTheme();
      this.setHead(this.layer, this.head);
    }

    // -- what is on the page --

    dom() {
      const option = (label, value) => el("option", { value }, label);
      const { layers, n_heads } = this;
      this.layerSelect = el("select", { "aria-label": "Layer", onchange: (e) => this.setHead(+e.target.value, this.head) },
        ...layers.map(option));
      this.headSelect = el("select", { "aria-label": "Head", onchange: (e) => this.setHead(this.layer, +e.target.value) },
        ...Array.from({ length: n_heads }, (_, i) => option(`head ${i}`, i)));
      const perRow = el("input", { type: "checkbox", onchange: (e) => {
        this.perRow = e.target.checked;
        this.setHead(this.layer, this.head);
      } });
      const button = (text, label, onclick) => el("button", { type: "button", "aria-label": label, title: label, onclick }, text);
      this.zoomOut = button("−", "Smaller cells", () => this.setZoom(this.zoom / 1.6));
      this.zoomIn = button("+", "Larger cells", () => this.setZoom(this.zoom * 1.6));
      this.zoomBox = el("span", { class: "together zoom" }, this.zoomOut, this.zoomIn);
      const controls = el("div", { class: "controls" },
        el("label", { hidden: layers.length < 2 }, "Layer", this.layerSelect),
        el("label", { hidden: n_heads < 2 }, "Head", this.headSelect),
        el("label", { title: "Colours show the share of each row’s maximum; the numbers stay weights" }, perRow, "Scale each row"),
        el("span", { class: "grow" }), this.zoomBox,
        el("span", { class: "together" }, "Save",
          button("PNG", "Save this head as a PNG picture", () => this.savePng()),
          button("SVG", "Save this head as an SVG drawing", () => this.saveSvg())));

      this.canvas = el("canvas");
      this.spacer = el("div", {}, this.canvas);
      this.pane = el("div", {
        class: "scroll", tabindex: 0, role: "application", "aria-roledescription": "attention map", "aria-describedby": "hint",
        onpointermove: (e) => e.pointerType !== "touch" && this.setHover(this.under(e)),
        onpointerleave: () => this.setHover(null),
        onclick: (e) => { const at = this.under(e); if (at) this.pin(at, true); },
        onkeydown: (e) => this.key(e),
        onscroll: () => this.soon(),
      }, this.spacer);

      this.thumbs = Array.from({ length: n_heads }, (_, i) => el("button", {
        type: "button", class: "head", role: "radio", onclick: () => this.setHead(this.layer, i), "aria-label": `head ${i}`,
      }, el("canvas"), `${n_heads > 12 ? "" : "head "}${i}`));
      this.heads = el("div", {
        class: `heads${n_heads > 12 ? " many" : ""}`, role: "radiogroup", "aria-label": "Heads of this layer", hidden: n_heads < 2,
        onkeydown: (e) => this.rove(e, this.thumbs, this.head, (i) => this.setHead(this.layer, i)),
      }, ...this.thumbs);

      this.bar = el("canvas", { class: "bar", width: 256, height: 1, role: "img", "aria-label": "Colour scale" });
      this.ticks = el("div", { class: "ticks" });
      this.mark = el("div", { class: "mark", hidden: true });
      this.legendName = el("span");
      const never = el("span", { class: "never", hidden: !this.weights.zero.some(Boolean) }, el("i"), "exactly 0");
      const legend = el("div", { class: "legend" }, this.legendName,
        el("div", { class: "scale" }, this.bar, this.mark, this.ticks), never);

      this.reading = el("div", { class: "reading" });
      this.status = el("div", { class: "unseen", role: "status" });
      this.queryStrip = this.strip(this.queries, (q) => ({ q, k: null }));
      this.keyStrip = this.self ? this.queryStrip : this.strip(this.keys, (k) => ({ q: null, k }));
      const strips = this.self
        ? [this.stripBox("Tokens", this.queryStrip, "Tokens: each is a query; choose one to see where it looks")]
        : [this.stripBox("Queries", this.queryStrip, "Queries: choose one to see where it looks"),
           this.stripBox("Keys", this.keyStrip, "Keys: choose one to see who looks at it")];
      const hint = el("div", { class: "hint", id: "hint" },
        "Each row is one query: its shades are the shares of its attention. Point at a cell, a label or a word; " +
        "click to keep it. With the keyboard: Tab, then the arrow keys.");

      this.frame = el("div", { class: "figure" });
      if (this.heading) this.frame.append(el("div", { class: "title" }, bdi(this.heading)));
      this.frame.append(controls, el("div", { class: "stage" }, el("div", { class: "main" }, this.pane, legend), this.heads),
        this.reading, ...strips, hint, this.status);
      return this.frame;
    }

    strip(labels, place) {
      const long = labels.length > LONG;
      const tokens = labels.map((label) => el("button", { type: "button", class: "token", tabindex: -1 },
        bdi(label), ...(long ? [] : [el("small")])));
      const index = (e) => tokens.indexOf(e.target.closest(".token"));
      const at = (e) => (index(e) < 0 ? null : place(index(e)));
      const box = el("div", {
        class: `tokens${long ? " long" : ""}`, role: "toolbar",
        onpointerover: (e) => e.pointerType !== "touch" && this.setHover(at(e)),
        onpointerleave: () => this.setHover(null),
        onfocusin: (e) => { if (at(e)) this.pin(at(e), true); },
        onclick: (e) => { if (at(e)) this.pin(at(e), true); },
        onkeydown: (e) => this.rove(e, tokens, index(e), (i) => tokens[i].focus()),
      }, ...tokens);
      return { box, tokens, numbers: long ? null : tokens.map((token) => token.lastChild) };
    }

    stripBox(name, strip, label) {
      strip.box.setAttribute("aria-label", label);
      strip.name = el("div", { class: "name" }, name);
      return el("div", { class: "strip" }, strip.name, strip.box);
    }

    // -- what can change --

    setTheme() {
      const theme = pageTheme();
      if (theme === this.theme) return;
      this.theme = theme;
      this.frame.classList.toggle("dark", theme === "dark");
      if (this.image) this.setHead(this.layer, this.head);
    }

    setHead(layer, head) {
      const repaint = layer !== this.drawnLayer || this.theme !== this.drawnTheme || this.perRow !== this.drawnPerRow;
      Object.assign(this, { layer, head });
      this.layerSelect.value = layer;
      this.headSelect.value = head;
      this.image = this.weights.image(layer, head, this.theme, this.perRow);
      this.thumbs.forEach((thumb, i) => {
        thumb.setAttribute("aria-checked", i === head);
        thumb.tabIndex = i === head ? 0 : -1;
      });
      if (repaint && this.n_heads > 1) this.drawThumbs();
      Object.assign(this, { drawnLayer: layer, drawnTheme: this.theme, drawnPerRow: this.perRow });
      this.pane.setAttribute("aria-label",
        `Attention map of ${this.name()}, ${this.T} queries by ${this.S} keys; arrow keys move over the cells`);
      this.drawLegend();
      this.layout();
      this.show();
      this.into(this.heads, this.thumbs[head]);
    }

    setZoom(zoom) {
      this.zoom = zoom;
      this.layout();
      this.reveal();
    }

    setHover(at) {
      const same = at === this.hover || (at && this.hover && at.q === this.hover.q && at.k === this.hover.k);
      if (same) return;
      this.hover = at;
      this.show();
    }

    pin(at, aloud) {
      const same = at.q === this.pinned.q && at.k === this.pinned.k;
      this.pinned = at;
      this.hover = null;
      if (!same) this.show();
      if (aloud) this.say();
    }

    say() { // only what was asked for by key or click, and only when it has come to rest
      clearTimeout(this.saying);
      this.saying = setTimeout(() => { this.status.textContent = this.reading.textContent; }, 150);
    }

    fullScale(q) { // the weight that has the darkest colour
      return this.perRow ? this.weights.largest(this.layer, this.head, q) || 1 : 1;
    }

    name() {
      return `${this.layers[this.layer]}, head ${this.head}`;
    }

    // -- pointer and keyboard --

    under(event) {
      const box = this.canvas.getBoundingClientRect(), v = this.view;
      const x = event.clientX - box.left - v.left, y = event.clientY - box.top - v.top;
      const k = Math.floor((x + this.pane.scrollLeft) / v.cell), q = Math.floor((y + this.pane.scrollTop) / v.cell);
      const inside = { q: y >= 0 && q >= 0 && q < this.T, k: x >= 0 && k >= 0 && k < this.S };
      if (inside.q && inside.k) return { q, k };
      if (inside.q && x < 0) return { q, k: null };
      if (inside.k && y < 0) return { q: null, k };
      return null;
    }

    key(event) {
      if (event.altKey || event.metaKey) return;
      const now = { q: this.pinned.q ?? this.T - 1, k: this.pinned.k ?? 0 }, all = event.ctrlKey;
      const first = this.pinned.q === null || this.pinned.k === null; // the first key only sets foot on the map
      const moves = {
        ArrowUp: { q: now.q - 1 }, ArrowDown: { q: now.q + 1 }, ArrowLeft: { k: now.k - 1 }, ArrowRight: { k: now.k + 1 },
        Home: all ? { q: 0, k: 0 } : { k: 0 }, End: all ? { q: this.T - 1, k: this.S - 1 } : { k: this.S - 1 },
        Escape: { q: now.q, k: null },
      };
      const move = moves[event.key];
      if (!move || (all && !["Home", "End"].includes(event.key))) return;
      event.preventDefault();
      event.stopPropagation();
      const to = first && event.key.startsWith("Arrow") ? now : { ...now, ...move };
      to.q = clamp(to.q, 0, this.T - 1);
      if (to.k !== null) to.k = clamp(to.k, 0, this.S - 1);
      this.pin(to, true);
      this.reveal();
    }

    rove(event, items, now, go) { // one tab stop, arrow keys inside
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const to = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : step ? now + step : null;
      if (to === null || event.altKey || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      const i = clamp(to, 0, items.length - 1);
      go(i);
      items[i].focus();
    }

    into(box, item) { // scroll a small window of ours, never the page
      const inner = item.getBoundingClientRect(), outer = box.getBoundingClientRect();
      if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - 8;
      if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left - outer.left - 8;
    }

    reveal() { // scroll the kept cell into the map's own window
      const { q } = this.pinned, k = this.pinned.k ?? (this.self ? q : null), v = this.view, s = this.pane;
      if (!v) return;
      const into = (at, from, room) => clamp(from, (at + 1) * v.cell - room, at * v.cell);
      if (q !== null) s.scrollTop = into(q, s.scrollTop, v.height - v.top);
      if (k !== null) s.scrollLeft = into(k, s.scrollLeft, v.width - v.left);
      this.draw();
    }

    // -- drawing --

    // Where things go when the map may be `room` wide. CSS pixels.
    arrange(room, zoom, tallest) {
      const { T, S, queries, keys } = this;
      const small = room < 480 ? 11 : 12, font = `${small}px ${FONT}`;
      const left = Math.max(Math.ceil(Math.min(widest(queries, font), room * 0.26, 120)) + 12, 56);
      const long = widest(keys, font);
      let right = 0, top = 0, cell = 1, turn = 0;
      for (let pass = 0; pass < 2; pass++) { // the labels' angle depends on the cell, the cell on the labels
        cell = Math.min(LARGEST_CELL, (room - left - Math.max(right, 3)) / S, Math.max((tallest - top) / T, 10));
        turn = long + 6 <= cell ? 0 : cell >= 17 && room >= 480 ? Math.PI / 4 : Math.PI / 2;
        const reach = Math.min(long, turn === Math.PI / 2 ? 96 : 110);
        right = turn === Math.PI / 4 ? Math.ceil(reach * 0.71) : 0;
        top = turn === 0 ? 24 : turn === Math.PI / 2 ? Math.ceil(reach) + 12 : Math.ceil(reach * 0.71) + 18;
      }
      cell = clamp(cell, 1, LARGEST_CELL);
      const fit = cell;
      cell = clamp(cell * zoom, fit, Math.max(fit, LARGEST_CELL));
      const dpr = window.devicePixelRatio || 1;
      if (cell >= 4) cell = Math.floor(cell * dpr) / dpr;
      return { font, left, top, right, cell, fit, turn, reach: top - 10, scrollX: 0, scrollY: 0 };
    }

    layout() {
      const room = Math.floor(this.pane.parentNode.clientWidth);
      if (!this.image || room < 60) return;
      const tallest = clamp(innerHeight * 0.8, 360, 640);
      const v = this.view = this.arrange(room, this.zoom, tallest);
      const whole = { width: v.left + this.S * v.cell + Math.max(v.right, 3), height: v.top + this.T * v.cell + 3 };
      this.zoomBox.hidden = v.fit >= 20;
      this.zoomIn.disabled = v.cell >= LARGEST_CELL;
      this.zoomOut.disabled = v.cell <= Math.max(v.fit, 1) + 0.5;
      if (this.zoomOut.disabled) this.zoom = Math.max(this.zoom, 1);
      const fits = { x: whole.width <= room + 1, y: whole.height <= tallest + 40 };
      v.width = fits.x ? Math.ceil(whole.width) : room;
      v.height = Math.ceil(fits.y ? whole.height : tallest);
      this.pane.style.overflow = fits.x && fits.y ? "hidden" : "auto";
      this.pane.style.width = `${v.width}px`;
      this.pane.style.height = `${v.height}px`;
      this.spacer.style.width = `${Math.floor(whole.width)}px`;
      this.spacer.style.height = `${Math.floor(whole.height)}px`;
      v.width = Math.min(v.width, this.pane.clientWidth);
      v.height = Math.min(v.height, this.pane.clientHeight);
      const dpr = window.devicePixelRatio || 1;
      this.canvas.width = Math.round(v.width * dpr);
      this.canvas.height = Math.round(v.height * dpr);
      this.canvas.style.width = `${v.width}px`;
      this.canvas.style.height = `${v.height}px`;
      this.draw();
    }

    soon() {
      if (!this.frameAsked) this.frameAsked = requestAnimationFrame(() => { this.frameAsked = 0; this.draw(); });
    }

    draw() {
      if (!this.view) return;
      const ctx = this.canvas.getContext("2d"), dpr = this.canvas.width / this.view.width;
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      const scrolled = { scrollX: this.pane.scrollLeft, scrollY: this.pane.scrollTop };
      this.paint(ctx, { ...this.view, ...scrolled }, this.hover ?? this.pinned);
    }

    // The map and its labels, into ctx, from (0, 0).
    paint(ctx, v, at) {
      const { T, S, theme } = this, paper = PAPER[theme], accent = ACCENT[theme];
      const x0 = v.left - v.scrollX, y0 = v.top - v.scrollY;
      const from = { q: Math.max(0, Math.floor(v.scrollY / v.cell)), k: Math.max(0, Math.floor(v.scrollX / v.cell)) };
      const to = { q: Math.min(T, Math.ceil((v.height - y0) / v.cell)), k: Math.min(S, Math.ceil((v.width - x0) / v.cell)) };
      ctx.fillStyle = paper;
      ctx.fillRect(0, 0, v.width, v.height);

      ctx.save();
      ctx.beginPath();
      ctx.rect(v.left - 1, v.top - 1, v.width - v.left + 1, v.height - v.top + 1);
      ctx.clip();
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(this.image, x0, y0, S * v.cell, T * v.cell);
      if (v.cell >= SEAMS_FROM) { // thin seams between cells
        ctx.fillStyle = paper;
        for (let k = from.k; k <= to.k; k++) ctx.fillRect(x0 + k * v.cell - 0.5, v.top, 1, v.height);
        for (let q = from.q; q <= to.q; q++) ctx.fillRect(v.left, y0 + q * v.cell - 0.5, v.width, 1);
      }
      ctx.strokeStyle = SOFT[theme];
      ctx.globalAlpha = 0.35;
      ctx.strokeRect(x0 - 0.5, y0 - 0.5, S * v.cell + 1, T * v.cell + 1);
      ctx.globalAlpha = 1;
      const column = at.k ?? (this.self && at.k === null ? at.q : null);
      if (v.cell >= VALUES_FROM) this.paintValues(ctx, v, at, from, to, x0, y0);
      ctx.strokeStyle = accent;
      ctx.lineWidth = 1.5;
      const out = v.cell < 6 ? 1.5 : 0; // around a small cell, not over it
      const frame = (x, y, width, height) => ctx.strokeRect(x - out, y - out, width + 2 * out, height + 2 * out);
      if (column !== null) {
        ctx.globalAlpha = at.q !== null && at.k === null ? 0.45 : 0.9;
        frame(x0 + column * v.cell, y0, v.cell, T * v.cell);
        ctx.globalAlpha = 1;
      }
      if (at.q !== null) frame(x0, y0 + at.q * v.cell, S * v.cell, v.cell);
      if (at.q !== null && at.k !== null) {
        ctx.lineWidth = 3;
        frame(x0 + at.k * v.cell, y0 + at.q * v.cell, v.cell, v.cell);
      }
      ctx.restore();
      this.paintLabels(ctx, v, at, column, from, to, x0, y0);
    }

    paintValues(ctx, v, at, from, to, x0, y0) { // numbers in the lit row, or in the lit column
      ctx.font = `${v.cell >= 32 ? 11 : 10}px ${FONT}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      const write = (q, k) => {
        const value = this.weights.at(this.layer, this.head, q, k);
        if (value < 0.005) return;
        ctx.fillStyle = readableOn(COLOURS[this.theme][Math.round((255 * value) / this.fullScale(q))]);
        ctx.fillText(value.toFixed(2).replace(/^0/, ""), x0 + (k + 0.5) * v.cell, y0 + (q + 0.5) * v.cell + 0.5);
      };
      if (at.q !== null) for (let k = from.k; k < to.k; k++) write(at.q, k);
      else if (at.k !== null) for (let q = from.q; q < to.q; q++) write(q, at.k);
    }

    paintLabels(ctx, v, at, column, from, to, x0, y0) {
      const { theme } = this, paper = PAPER[theme], every = Math.max(1, Math.ceil(13 / v.cell));
      const put = (text, lit, cx, cy, turn, align, room) => {
        ctx.save();
        ctx.translate(cx, cy);
        ctx.rotate(-turn);
        ctx.font = lit ? `600 ${v.font}` : v.font;
        ctx.textAlign = align;
        ctx.textBaseline = "middle";
        const label = shortened(ctx, text, room);
        if (lit && every > 1) { // may lie over its neighbours
          const width = ctx.measureText(label).width + 6;
          ctx.fillStyle = paper;
          ctx.fillRect(align === "right" ? -width + 3 : align === "left" ? -3 : -width / 2, -8, width, 16);
        }
        ctx.fillStyle = lit ? ACCENT[theme] : INK[theme];
        ctx.fillText(label, 0, 0);
        ctx.restore();
      };
      const queryLabel = (q) => put(this.queries[q], q === at.q, v.left - 7, y0 + (q + 0.5) * v.cell, 0, "right", v.left - 10);
      const keyLabel = (k) => {
        const align = v.turn ? "left" : "center", room = v.turn === 0 ? v.cell : v.turn > 1 ? v.top - 10 : (v.top - 14) / 0.71;
        put(this.keys[k], k === column, x0 + (k + 0.5) * v.cell + (v.turn && v.turn < 1 ? 1 : 0), v.top - (v.turn ? 7 : 12),
          v.turn, align, room);
      };
      const clipTo = (x, y, width, height, body) => {
        ctx.save();
        ctx.beginPath();
        ctx.rect(x, y, width, height);
        ctx.clip();
        body();
        ctx.restore();
      };
      clipTo(0, v.top - (v.cell < 13 && !v.scrollY ? 7 : 1), v.left, v.height, () => {
        for (let q = from.q; q < to.q; q++) if (q % every === 0 && q !== at.q) queryLabel(q);
        if (at.q !== null && at.q >= from.q && at.q < to.q) queryLabel(at.q);
      });
      clipTo(v.left - (v.cell < 13 && !v.scrollX ? 7 : 1), 0, v.width, v.top, () => {
        for (let k = from.k; k < to.k; k++) if (k % every === 0 && k !== column) keyLabel(k);
        if (column !== null && column >= from.k && column < to.k) keyLabel(column);
      });
      ctx.fillStyle = SOFT[theme];
      ctx.font = `10.5px ${FONT}`;
      ctx.textAlign = "right";
      ctx.textBaseline = "alphabetic";
      if (v.top >= 34) {
        ctx.fillText("key →", v.left - 10, v.top - 20);
        ctx.fillText("query ↓", v.left - 10, v.top - 7);
      }
    }

    drawThumbs() {
      const side = 84 * Math.min(window.devicePixelRatio || 1, 2);
      this.thumbs.forEach((thumb, i) => {
        const image = this.weights.image(this.layer, i, this.theme, this.perRow, side);
        const canvas = thumb.firstChild, times = Math.max(1, Math.round((2 * side) / Math.max(image.width, image.height)));
        canvas.width = image.width * times;
        canvas.height = image.height * times;
        const ctx = canvas.getContext("2d");
        ctx.imageSmoothingEnabled = false;
        ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.style.boxShadow = `0 0 0 1px ${this.theme === "dark" ? "#303844" : "#dde2ea"}`;
      });
    }

    drawLegend() {
      const ctx = this.bar.getContext("2d");
      COLOURS[this.theme].forEach((rgb, i) => { ctx.fillStyle = css(rgb); ctx.fillRect(i, 0, 1, 1); });
      this.legendName.textContent = this.perRow ? "share of the row’s maximum" : "attention weight";
      this.ticks.replaceChildren(...["0", this.perRow ? "½" : "0.5", this.perRow ? "max" : "1"].map((t) => el("span", {}, t)));
    }

    // The words below the map: the read-out, and the strip shaded by the lit row (or column).
    show() {
      this.draw();
      const at = this.hover ?? this.pinned, { layer, head, weights } = this, byQuery = at.q !== null;
      const value = (i) => (byQuery ? weights.at(layer, head, at.q, i) : weights.at(layer, head, i, at.k));
      const others = byQuery ? this.keys : this.queries, values = others.map((_, i) => value(i));
      const shaded = byQuery ? this.keyStrip : this.queryStrip, chosen = byQuery ? this.queryStrip : this.keyStrip;

      const number = (v) => (v < 0.005 ? "" : v.toFixed(2).replace(/^0/, ""));
      shaded.tokens.forEach((token, i) => {
        const zero = values[i] === 0 && (byQuery ? weights.isZero(layer, at.q, i) : weights.isZero(layer, i, at.k));
        const rgb = COLOURS[this.theme][Math.round((255 * values[i]) / this.fullScale(byQuery ? at.q : i))];
        token.style.backgroundColor = zero ? "transparent" : css(rgb);
        token.style.color = zero ? SOFT[this.theme] : readableOn(rgb);
        if (shaded.numbers) shaded.numbers[i].textContent = number(values[i]);
      });
      if (shaded !== chosen) chosen.tokens.forEach((token, i) => {
        token.style.backgroundColor = "";
        token.style.color = "";
        if (chosen.numbers) chosen.numbers[i].textContent = "";
      });
      for (const strip of new Set([shaded, chosen])) strip.tokens.forEach((token) => token.classList.remove("lit", "met"));
      chosen.tokens[byQuery ? at.q : at.k].classList.add("lit");
      if (byQuery && at.k !== null) shaded.tokens[at.k].classList.add("met");
      chosen.box.classList.toggle("plain", shaded !== chosen);
      shaded.box.classList.remove("plain");
      if (!this.hover) {
        this.into(chosen.box, chosen.tokens[byQuery ? at.q : at.k]);
        chosen.tokens.forEach((token) => { if (token.tabIndex === 0) token.tabIndex = -1; });
        chosen.tokens[byQuery ? at.q : at.k].tabIndex = 0;
      }
      this.read(at, values, byQuery);
    }

    read(at, values, byQuery) {
      const { weights } = this;
      const place = (label, i, cls) => [bdi(label, cls), " ", el("span", { class: "at" }, String(i))];
      const cell = at.q !== null && at.k !== null;
      let parts;
      if (cell) {
        const value = values[at.k], zero = value === 0 && weights.isZero(this.layer, at.q, at.k);
        parts = [el("b", { class: "lit" }, ...place(this.queries[at.q], at.q)), " → ",
          el("b", { class: "lit" }, ...place(this.keys[at.k], at.k)), "  ",
          el("span", { class: "value" }, zero ? "exactly 0" : weights.text(value))];
      } else {
        const labels = byQuery ? this.keys : this.queries, me = byQuery ? this.queries[at.q] : this.keys[at.k];
        const best = values.map((v, i) => i).filter((i) => values[i] >= 0.005).sort((a, b) => values[b] - values[a]).slice(0, 3);
        parts = [el("b", { class: "lit" }, ...place(me, byQuery ? at.q : at.k)),
          (byQuery ? " looks most at " : " is looked at most by ") + (best.length ? "" : byQuery ? "nothing" : "nobody"),
          ...best.map((i) => el("span", { class: "item" }, ...place(labels[i], i), " ",
            el("span", { class: "value" }, weights.text(values[i])), "  "))];
      }
      this.reading.replaceChildren(...parts);
      this.mark.hidden = !cell || this.perRow;
      if (cell) this.mark.style.left = `${200 * values[at.k]}px`;
    }

    // -- saving --

    // The figure to save: the whole map at a size of its own, a title above, the legend below.
    figure() {
      const v = this.arrange(Math.max(640, this.S * 4 + 160), 1, Infinity);
      v.width = Math.ceil(v.left + this.S * v.cell + Math.max(v.right, 3));
      v.height = Math.ceil(v.top + this.T * v.cell) + 3;
      const title = [this.heading, this.name()].filter(Boolean).join(" — ");
      return { v, title, width: Math.max(v.width, 300) + 32, height: v.height + 100 };
    }

    fileName(kind) {
      return `attention ${this.name()}.${kind}`.replace(/[^\w.-]+/g, "-");
    }

    savePng() {
      const { v, title, width, height } = this.figure(), scale = width > 2000 ? 1 : 2;
      const canvas = el("canvas", { width: width * scale, height: height * scale }), ctx = canvas.getContext("2d");
      ctx.scale(scale, scale);
      ctx.fillStyle = PAPER[this.theme];
      ctx.fillRect(0, 0, width, height);
      ctx.translate(16, 40);
      this.paint(ctx, v, { q: null, k: null });
      ctx.imageSmoothingEnabled = true;
      ctx.drawImage(this.bar, v.left, v.height + 18, 200, 10);
      ctx.fillStyle = INK[this.theme];
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.font = `600 14px ${FONT}`;
      ctx.fillText(title, 0, -18);
      ctx.font = `11px ${FONT}`;
      ctx.fillText(this.legendName.textContent, v.left, v.height + 13);
      [...this.ticks.children].forEach((tick, i) => {
        ctx.textAlign = ["left", "center", "right"][i];
        ctx.fillText(tick.textContent, v.left + 100 * i, v.height + 42);
      });
      canvas.toBlob((blob) => save(blob, this.fileName("png")));
    }

    saveSvg() {
      const { v, title, width, height } = this.figure(), { T, S, theme } = this, space = "http://www.w3.org/2000/svg";
      const picture = svg("svg", { xmlns: space, width, height, viewBox: `-16 -40 ${width} ${height}`, "font-family": FONT, "font-size": 12, fill: INK[theme] });
      picture.append(svg("title", {}, title), svg("rect", { x: -16, y: -40, width, height, fill: PAPER[theme] }),
        svg("text", { y: -18, "font-size": 14, "font-weight": 600 }, title));
      if (T * S <= 10000) {
        const pixels = this.image.getContext("2d").getImageData(0, 0, S, T).data, seam = v.cell >= SEAMS_FROM ? 1 : 0;
        for (let i = 0; i < T * S; i++) if (pixels[4 * i + 3]) picture.append(svg("rect", {
          x: v.left + (i % S) * v.cell, y: v.top + Math.floor(i / S) * v.cell, width: v.cell - seam, height: v.cell - seam,
          fill: `#${[0, 1, 2].map((c) => pixels[4 * i + c].toString(16).padStart(2, "0")).join("")}` }));
      } else picture.append(svg("image", { x: v.left, y: v.top, width: S * v.cell, height: T * v.cell, preserveAspectRatio: "none",
        style: "image-rendering:pixelated", href: this.image.toDataURL() }));
      picture.append(svg("rect", { x: v.left - 0.5, y: v.top - 0.5, width: S * v.cell, height: T * v.cell, fill: "none", stroke: SOFT[theme], "stroke-opacity": 0.35 }));
      if (v.top >= 34) ["key →", "query ↓"].forEach((text, i) => picture.append(svg("text",
        { x: v.left - 10, y: v.top - 20 + 13 * i, "text-anchor": "end", "font-size": 10.5, fill: SOFT[theme] }, text)));
      const every = Math.max(1, Math.ceil(13 / v.cell)), turned = v.turn ? (-v.turn * 180) / Math.PI : 0;
      this.queries.forEach((label, q) => q % every || picture.append(svg("text",
        { x: v.left - 7, y: v.top + (q + 0.5) * v.cell + 4, "text-anchor": "end" }, label)));
      this.keys.forEach((label, k) => {
        const x = v.left + (k + 0.5) * v.cell + (v.turn ? 4 : 0), y = v.top - 8;
        if (k % every === 0) picture.append(svg("text", { x, y, transform: `rotate(${turned} ${x} ${y})`, "text-anchor": v.turn ? "start" : "middle" }, label));
      });
      const fade = svg("linearGradient", { id: "weights" }), foot = v.height;
      RAMPS[theme].forEach((stop, i, all) => fade.append(svg("stop", { offset: i / (all.length - 1), "stop-color": `#${stop}` })));
      picture.append(fade, svg("rect", { x: v.left, y: foot + 18, width: 200, height: 10, fill: "url(#weights)" }),
        svg("text", { x: v.left, y: foot + 13, "font-size": 11 }, this.legendName.textContent),
        ...[...this.ticks.children].map((tick, i) => svg("text",
          { x: v.left + 100 * i, y: foot + 42, "font-size": 11, "text-anchor": ["start", "middle", "end"][i] }, tick.textContent)));
      save(new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" }), this.fileName("svg"));
    }
  }

  customElements.define("lmkit-attention-map", AttentionMap);
})();
