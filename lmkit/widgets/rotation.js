// <lmkit-rotation>: a query and a key as hands that turn with position; what lmkit.widgets.rotation put into its attribute.
(() => {
  "use strict";
  if (customElements.get("lmkit-rotation")) return;

  const CSS = "__CSS__";
  const PAUSE = 450; // milliseconds between two steps while playing
  const WIDTH = 640, HEIGHT = 120, LEFT = 30, FOOT = 20; // of the curve

  // __PAGE__

  const score = (speeds, apart) => speeds.reduce((sum, speed) => sum + Math.cos(apart * speed), 0) / speeds.length;
  const signed = (x, digits) => x.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
  const within = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI)); // to half a turn either way
  // A hand points up at angle 0 and turns with the clock.
  const tip = (angle, r) => [r * Math.sin(angle), -r * Math.cos(angle)].map((x) => x.toFixed(2));

  class Rotation extends Figure {
    disconnectedCallback() {
      this.stop();
      super.disconnectedCallback();
    }

    build({ speeds, query, key, longest, title }) {
      Object.assign(this, { speeds, longest, at: { query, key } });
      this.dials = speeds.map((speed, i) => this.dial(speed, i));
      this.ranges = { query: this.range("query"), key: this.range("key") };
      this.said = el("p", { class: "said", role: "status" });
      this.playing = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.play() }, "play");
      const frame = el("div", { class: "figure", role: "group", "aria-label": title ?? "Hands that turn with position" },
        el("div", { class: "title", hidden: !title }, bdi(title ?? "")),
        el("div", { class: "dials" }, ...this.dials.map(({ figure }) => figure)),
        el("div", { class: "sliders" }, this.ranges.query.label, this.ranges.key.label),
        el("div", { class: "buttons" },
          el("button", { type: "button", onclick: () => this.both(-1) }, "both −1"),
          el("button", { type: "button", onclick: () => this.both(1) }, "both +1"), this.playing), this.said, this.curve());
      this.show();
      return frame;
    }

    dial(speed, i) {
      const hand = (who) => svg("line", { class: `hand ${who}`, x1: 0, y1: 0 });
      const parts = { wedge: svg("path", { class: "wedge" }), key: hand("key"), query: hand("query") };
      const ticks = [0, 1, 2, 3].map((quarter) => {
        const [x1, y1] = tip(quarter * Math.PI / 2, 44), [x2, y2] = tip(quarter * Math.PI / 2, 50);
        return svg("line", { class: "tick", x1, y1, x2, y2 });
      });
      const angle = el("span"), turn = (2 * Math.PI) / speed;
      const figure = el("figure", { class: "dial" },
        svg("svg", { viewBox: "-54 -54 108 108", "aria-hidden": "true" }, svg("circle", { class: "rim", r: 50 }), ...ticks, ...Object.values(parts)),
        el("figcaption", {}, el("b", {}, `pair ${i}`), `one turn in ${turn < 100 ? turn.toFixed(1) : Math.round(turn).toLocaleString("en")}`, el("br"), angle));
      return { speed, figure, angle, ...parts };
    }

    range(who) {
      const number = el("output"), input = el("input", {
        type: "range", class: who, min: 0, max: this.longest, step: 1, "aria-label": `position of the ${who}`,
        oninput: () => { this.stop(); this.at[who] = Number(input.value); this.show(); },
      });
      const name = el("span", { class: `name ${who}` }, who === "query" ? "query at" : "key at");
      return { input, number, label: el("label", {}, name, input, number) };
    }

    both(by) {
      const { query, key } = this.at, moved = [query + by, key + by];
      if (Math.min(...moved) < 0 || Math.max(...moved) > this.longest) return false;
      [this.at.query, this.at.key] = moved;
      this.show();
      return true;
    }

    play() {
      if (this.timer) return this.stop();
      this.playing.setAttribute("aria-pressed", "true");
      this.timer = setInterval(() => this.both(1) || this.stop(), PAUSE);
    }

    stop() {
      clearInterval(this.timer);
      this.timer = null;
      this.playing?.setAttribute("aria-pressed", "false");
    }

    curve() {
      const x = (apart) => LEFT + (apart / this.longest) * (WIDTH - LEFT - 10), y = (s) => 8 + ((1 - s) / 2) * (HEIGHT - 16 - FOOT);
      const steps = 320;
      const points = Array.from({ length: steps + 1 }, (_, i) => (i * this.longest) / steps);
      this.dot = svg("circle", { r: 5 });
      this.place = (apart, s) => { this.dot.setAttribute("cx", x(apart)); this.dot.setAttribute("cy", y(s)); };
      const words = [[1, "1"], [0, "0"], [-1, "−1"]].map(([s, name]) => svg("text", { x: LEFT - 6, y: y(s) + 4, "text-anchor": "end" }, name));
      return svg("svg", { class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "The score against the distance between query and key" },
        svg("line", { x1: LEFT, x2: WIDTH - 10, y1: y(0), y2: y(0) }), ...words,
        svg("text", { x: WIDTH - 10, y: HEIGHT - 4, "text-anchor": "end" }, `distance, 0 to ${this.longest}: the score`),
        svg("path", { d: points.map((p, i) => `${i ? "L" : "M"}${x(p).toFixed(1)} ${y(score(this.speeds, p)).toFixed(1)}`).join("") }), this.dot);
    }

    show() {
      const { query, key } = this.at, apart = query - key;
      for (const who of ["query", "key"]) {
        this.ranges[who].input.value = this.at[who];
        this.ranges[who].number.textContent = this.at[who].toLocaleString("en");
      }
      for (const { speed, wedge, angle, ...hands } of this.dials) {
        for (const who of ["query", "key"]) {
          const [x2, y2] = tip(this.at[who] * speed, who === "query" ? 42 : 46);
          hands[who].setAttribute("x2", x2);
          hands[who].setAttribute("y2", y2);
        }
        const between = within(apart * speed), [x1, y1] = tip(key * speed, 20), [x2, y2] = tip(key * speed + between, 20);
        wedge.setAttribute("d", Math.abs(between) < 1e-6 ? "" : `M0 0L${x1} ${y1}A20 20 0 0 ${between > 0 ? 1 : 0} ${x2} ${y2}Z`);
        angle.textContent = `${signed((between * 180) / Math.PI, 0)}° apart`;
      }
      const s = score(this.speeds, apart);
      this.said.replaceChildren(`distance ${signed(apart, 0)}, score `, el("b", {}, signed(s, 3)));
      this.place(Math.abs(apart), s);
    }
  }

  customElements.define("lmkit-rotation", Rotation);
})();
