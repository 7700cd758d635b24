// Before the first paint: a chosen theme and language, so that nothing flashes. A plain script because modules run later.
(() => {
  try {
    const theme = localStorage.getItem('webcall.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  } catch {
    // No storage: the system's theme it is.
  }
})();
