// Follows the system's choice of light or dark until the reader makes another, which is kept in this browser.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => localStorage.getItem("theme") || (system.matches ? "dark" : "light");
  const show = () => {
    root.dataset.bsTheme = current();
    const toggle = document.getElementById("theme-toggle");
    if (toggle) {
      toggle.hidden = false;
      toggle.textContent = current() === "dark" ? "Light" : "Dark";
    }
  };
  show();
  system.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme-toggle").addEventListener("click", () => {
      localStorage.setItem("theme", current() === "dark" ? "light" : "dark");
      show();
    });
  });
})();
