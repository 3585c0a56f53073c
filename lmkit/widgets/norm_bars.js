// <lmkit-norm-bars>: features to move, and what LayerNorm, RMSNorm and tanh make of them, as lmkit.widgets.norm_bars says.
// Text only ever goes through textContent and attributes of ours, never as HTML.
(() => {
  "use strict";
  if (customElements.get("lmkit-norm-bars")) return;

  const CSS = "__CSS__";
  const REACH = 5, LARGEST = 1e3, SMALLEST = 1e-4; // of a slider; of what the buttons multiply by

  // __PAGE__

  const mean = (x) => x.reduce((sum, v) => sum + v, 0) / x.length;
  const square = (x) => mean(x.map((v) => v * v));
  const near = (x, y) => x.every((v, i) => Math.abs(v - y[i]) < 0.005);

  // Two decimals, or two digits where that would be nothing; a true minus, and none before nothing.
  function shown(v) {
    const text = Math.abs(v) > 1e-9 && Math.abs(v) < 0.05 ? String(Number(v.toPrecision(2))) : v.toFixed(2);
    return text.replace(/^-0\.00$/, "0.00").replace("-", "−");
  }

  const layerNorm = (x, eps) => {
    const middle = mean(x), centred = x.map((v) => v - middle), by = Math.sqrt(square(centred) + eps);
    return centred.map((v) => v / by);
  };
  const rmsNorm = (x, eps) => {
    const by = Math.sqrt(square(x) + eps);
    return x.map((v) => v / by);
  };

  class NormBars extends Figure {
    build({ heading, names, values, eps, alpha }) {
      Object.assign(this, { names, start: values, eps, alpha });
      this.panels = [
        ["x", "what comes in"], ["LayerNorm", "(x − mean) / std"], ["RMSNorm", "x / rms"], ["tanh", `tanh(${alpha} x): DyT`],
      ].map(([name, formula]) => this.panel(name, formula));
      this.sliders = names.map((name, i) => el("input", { type: "range", min: -REACH, max: REACH, step: 0.1,
        "aria-label": name, oninput: (e) => this.move(i, +e.target.value) }));
      this.numbers = names.map(() => el("span", { class: "number", "aria-hidden": "true" }));
      const button = (text, label, act) => el("button", { type: "button", title: label,
        onclick: () => this.press(text, act) }, text);
      const buttons = [
        button("× 10", "multiply all by 10", () => this.affine(10, 0)), button("÷ 10", "divide all by 10", () => this.affine(0.1, 0)),
        button("+ 3", "add 3 to all", () => this.affine(1, 3)), button("− 3", "subtract 3 from all", () => this.affine(1, -3)),
        button("Reset", "as it was at first", () => this.reset()),
      ];
      this.rule = el("span", { class: "rule" });
      this.status = el("div", { class: "status", role: "status", "aria-live": "polite" });
      this.reset();
      const frame = el("div", { class: "figure", role: "group", "aria-label": heading ?? "Features and norms" },
        el("div", { class: "title", hidden: !heading }, bdi(heading ?? "")),
        el("div", { class: "sliders" }, ...names.map((name, i) => el("label", {}, bdi(name, "name"), this.sliders[i], this.numbers[i]))),
        el("div", { class: "buttons", role: "group", "aria-label": "Change all features" }, ...buttons, this.rule),
        this.status, el("div", { class: "panels" }, ...this.panels.map(({ box }) => box)));
      this.draw();
      return frame;
    }

    panel(name, formula) {
      const bars = this.names.map(() => el("i", { class: "bar" })), numbers = this.names.map(() => el("span", { class: "number" }));
      const foot = el("div", { class: "foot" }), badge = el("span", { class: "badge" });
      const rows = this.names.map((feature, i) => el("div", { class: "row", role: "listitem" },
        bdi(feature, "name"), el("span", { class: "track", "aria-hidden": "true" }, bars[i]), numbers[i]));
      const box = el("section", { class: "panel", "aria-label": name, "data-norm": name },
        el("div", { class: "head" }, el("b", {}, name), el("span", { class: "soft" }, formula), badge),
        el("div", { role: "list" }, ...rows), foot);
      return { name, box, bars, numbers, foot, badge };
    }

    // -- what can change --

    reset() {
      Object.assign(this, { values: [...this.start], scale: 1, shift: 0 });
    }

    affine(scale, shift) {
      const next = this.scale * scale;
      if (next > LARGEST * 1.5 || next < SMALLEST / 1.5 || Math.abs(this.shift * scale + shift) > 10 * LARGEST) return;
      Object.assign(this, { scale: Number(next.toPrecision(12)), shift: Number((this.shift * scale + shift).toPrecision(12)) });
    }

    move(i, value) {
      this.values[i] = value;
      for (const { badge } of this.panels) Object.assign(badge, { textContent: "", className: "badge" });
      this.status.textContent = "";
      this.draw();
    }

    press(text, act) {
      const before = this.outputs();
      act();
      const after = this.outputs(), said = [];
      this.panels.forEach(({ name, badge }, p) => {
        const same = near(before[p], after[p]);
        badge.textContent = same ? "unchanged" : "changed";
        badge.className = `badge ${same ? "same" : "other"}`;
        if (p) said.push(`${name} ${badge.textContent}`);
      });
      this.status.textContent = `${text}: ${said.join(", ")}`;
      this.draw();
    }

    outputs() {
      const x = this.values.map((v) => this.scale * v + this.shift);
      return [x, layerNorm(x, this.eps), rmsNorm(x, this.eps), x.map((v) => Math.tanh(this.alpha * v))];
    }

    draw() {
      const found = this.outputs(), bound = Math.sqrt(this.names.length);
      const reach = [Math.max(...found[0].map(Math.abs), 1e-12), bound, bound, 1];
      this.panels.forEach(({ bars, numbers, foot }, p) => {
        found[p].forEach((v, i) => {
          const length = Math.min(50, (50 * Math.abs(v)) / reach[p]);
          bars[i].style.width = `${length}%`;
          bars[i].style.left = `${v < 0 ? 50 - length : 50}%`;
          bars[i].className = `bar ${v < 0 ? "below" : "above"}`;
          numbers[i].textContent = shown(v);
        });
        foot.textContent = `mean ${shown(mean(found[p]))} · rms ${shown(Math.sqrt(square(found[p])))}`;
      });
      this.values.forEach((v, i) => {
        this.sliders[i].value = v;
        this.numbers[i].textContent = shown(v);
      });
      const sign = this.shift < 0 ? "−" : "+";
      this.rule.textContent = `x = ${this.scale.toLocaleString("en", { maximumFractionDigits: 6 })} · slider ${sign} ${
        Math.abs(this.shift).toLocaleString("en", { maximumFractionDigits: 6 })}`;
    }
  }

  customElements.define("lmkit-norm-bars", NormBars);
})();
