// What a link to an entry, a term or a source leads to, in a card beside it: on hover, and on focus.
// The card stays while the pointer is on the link or on the card, and goes with Escape.
{
  const HOVER = 150 // ms before a card opens, so that none flickers under a passing pointer
  const config = JSON.parse(document.getElementById("__config").textContent)
  const base = new URL(config.base.replace(/\/?$/, "/"), location).href
  const quiet = ".headerlink, .entries a, .letters a, .map a"

  const card = document.createElement("div")
  card.id = "preview"
  card.className = "md-typeset preview"
  card.setAttribute("role", "tooltip")
  card.hidden = true
  document.querySelector("main").append(card)

  let previews // asked for when the first card opens
  let current // the link whose card is open, or about to be
  let timer

  const load = () => (previews ??= fetch(base + "previews.json").then((answer) => answer.json()))

  function find(all, link) {
    const { origin, pathname, hash } = new URL(link.href)
    const page = (origin + pathname).replace(base, "")
    const source = pathname === location.pathname && hash && document.getElementById(hash.slice(1))?.closest("li")
    if (source) return { title: link.textContent, definition: source.textContent.trim() }
    return all[page + hash] ?? (hash ? undefined : all[page])
  }

  function place(link) {
    const box = link.getClientRects()[0]
    const room = document.documentElement.clientWidth - card.offsetWidth - 8
    const below = box.bottom + card.offsetHeight + 8 < innerHeight
    card.style.left = `${scrollX + Math.max(8, Math.min(box.left, room))}px`
    card.style.top = `${scrollY + (below ? box.bottom + 4 : box.top - card.offsetHeight - 4)}px`
  }

  async function open(link) {
    const preview = find(await load(), link)
    if (current !== link || !preview) return
    const title = document.createElement("strong")
    title.textContent = preview.title
    card.replaceChildren(title, ` ${preview.definition}`)
    card.hidden = false
    place(link)
    link.setAttribute("aria-describedby", card.id)
  }

  function close() {
    clearTimeout(timer)
    current?.removeAttribute("aria-describedby")
    current = undefined
    card.hidden = true
  }

  function later(wait, action) {
    clearTimeout(timer)
    timer = setTimeout(action, wait)
  }

  function turnTo(link, wait) {
    if (link === current) return clearTimeout(timer)
    close()
    current = link
    later(wait, () => open(link))
  }

  const linkOf = (target) => {
    const link = target.closest?.(".md-content a[href]")
    return link && !link.matches(quiet) && link.href.startsWith(base) ? link : null
  }

  addEventListener("pointerover", ({ pointerType, target }) => {
    if (pointerType !== "mouse") return
    const link = linkOf(target)
    if (link) turnTo(link, HOVER)
    else if (card.contains(target)) clearTimeout(timer)
    else if (current && current !== document.activeElement) later(HOVER, close)
  })
  addEventListener("focusin", ({ target }) => {
    const link = linkOf(target)
    if (link?.matches(":focus-visible")) turnTo(link, 0)
    else close()
  })
  addEventListener("keydown", ({ key }) => key === "Escape" && close())
}
