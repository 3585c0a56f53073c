  function pageTheme() {
    if (matchMedia("print").matches) return "light";
    const { documentElement: html, body } = document;
    const said = [
      html.dataset.theme, // the book
      { true: "light", false: "dark" }[body?.dataset.jpThemeLight], // JupyterLab
      body?.dataset.vscodeThemeKind && (/light$/.test(body.dataset.vscodeThemeKind) ? "light" : "dark"), // VS Code
      html.getAttribute("theme"), // Colab
    ].find((theme) => theme === "light" || theme === "dark");
    return said ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  function el(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name === "class") node.className = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }
  function svg(tag, props = {}, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  const bdi = (text, cls) => el("bdi", cls ? { class: cls } : {}, text);

  // Call look() whenever the page's colours may have changed, until what is returned is called.
  function followTheme(look) {
    const watching = new AbortController(), { signal } = watching, mutations = new MutationObserver(look);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", look, { signal });
    for (const event of ["beforeprint", "afterprint"]) addEventListener(event, look, { signal });
    for (const node of [document.documentElement, document.body])
      if (node) mutations.observe(node, { attributes: true, attributeFilter:
        ["data-theme", "theme", "data-jp-theme-light", "data-vscode-theme-kind"] });
    return () => { watching.abort(); mutations.disconnect(); };
  }

  // A figure makes its frame of the data that it holds: build(data) -> element. Where it cannot, its plain table is seen.
  class Figure extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) {
        try {
          const root = this.attachShadow({ mode: "open" });
          this.frame = this.build(JSON.parse(this.dataset.figure));
          root.append(el("style", {}, CSS), this.frame);
        } catch (error) { this.giveUp(error); }
      }
      if (!this.frame) return;
      const look = () => this.frame.classList.toggle("dark", pageTheme() === "dark");
      this.unfollow = followTheme(look);
      look();
    }

    disconnectedCallback() { this.unfollow?.(); }

    giveUp(error) { // the plain table is better than half a figure
      this.frame = null;
      this.shadowRoot.replaceChildren(el("slot"));
      console.warn(`lmkit ${this.localName.slice(6).replaceAll("-", " ")}: showing the plain table instead,`, error);
    }
  }
