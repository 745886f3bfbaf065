// Valet in a shop's page: events, lists, consent; copy from /docs#browser. Without valet.consent(true): no storage, nothing personal, no event.
(() => {
  const tag = document.currentScript, base = new URL(".", tag.src), slot = "valet";
  const mailed = new URLSearchParams(location.search).get(slot); // the recommendation_id of an e-mail's link
  const id = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const storage = (use) => { try { return use(localStorage); } catch { return null; } }; // it may be blocked
  let session = storage((s) => s.getItem(slot)), customer = null, queue = [], timer = 0, wait = 1000;

  const address = (path, asked) => {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries({ key: tag.dataset.key, ...asked }))
      for (const one of [value ?? []].flat()) url.searchParams.append(name, one);
    return url;
  };
  const who = () => (session ? { session_id: session, ...(customer && { customer_token: customer }) } : {});
  const later = () => { timer ||= setTimeout(send, wait); };

  function send(leaving) {
    clearTimeout(timer);
    timer = 0;
    if (!session || !queue.length) return;
    const sent = queue.splice(0, 100), url = address("events");
    const body = JSON.stringify({ events: sent.map((one) => ({ ...who(), ...one })) }); // as text/plain: no preflight
    const again = () => { queue.unshift(...sent); wait = Math.min(2 * wait, 60000); later(); };
    if (leaving === true) return navigator.sendBeacon(url, body) || queue.unshift(...sent);
    fetch(url, { method: "POST", body, keepalive: true }).then(({ status }) => {
      if (status === 429 || status >= 500) return again(); // its event_id keeps a repeat from counting twice
      wait = 1000;
      if (queue.length) later();
    }, again);
  }

  function event(name, fields) {
    queue.push({ event: name, event_id: id(), ...(mailed && { recommendation_id: mailed }), ...fields });
    queue = queue.slice(-200);
    if (session) later();
  }

  function consent(yes) {
    session = yes ? session || id() : null;
    if (!yes) customer = null, queue = [];
    storage((s) => (yes ? s.setItem(slot, session) : s.removeItem(slot)));
    if (yes) later();
  }

  const safe = (url) => (/^https?:$/.test(new URL(url, location).protocol) ? url : "");
  function fill(template, { item_id, item, reason }) {
    const card = template.content.firstElementChild.cloneNode(true), fields = { item_id, reason: reason?.text, ...item };
    for (const part of [card, ...card.querySelectorAll("*")]) {
      const { text, href, src } = part.dataset;
      if (text) part.textContent = fields[text] ?? "";
      if (href && fields[href]) part.href = safe(fields[href]);
      if (src && fields[src]) part.src = safe(fields[src]);
    }
    return card;
  }

  async function show(place, asked, draw) {
    const answer = await fetch(address("recommend", { ...asked, ...who() })).then((got) => (got.ok ? got.json() : null), () => null);
    if (!answer) return null; // what stands there stays
    const { recommendation_id, items } = answer;
    place.replaceChildren(...items.map((one) => {
      const card = typeof draw === "function" ? draw(one) : fill(draw, one);
      card.addEventListener("click", () => event("select_item", { item_id: one.item_id, recommendation_id }));
      return card;
    }));
    new IntersectionObserver((seen, watch) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      event("view_item_list", { items: items.map(({ item_id }) => ({ item_id })), recommendation_id });
    }).observe(place);
    return answer;
  }

  document.addEventListener("visibilitychange", () => document.hidden && send(true));
  window.valet = { event, consent, show, customer: (token) => { customer = token; } };
  if (mailed) event("email_click"); // a person: mail scanners follow links, but run no scripts of the page they find
})();
