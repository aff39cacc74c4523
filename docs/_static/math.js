// Sphinx leaves formulas in elements of class "math", between \( \) or \[ \]
for (const element of document.querySelectorAll(".math")) {
  const source = element.textContent.trim();
  katex.render(source.slice(2, -2), element, { displayMode: source.startsWith("\\["), throwOnError: false });
}
