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
  const bdi = (text, cls) => el("bdi", cls ? { class: cls } : {}, text);
