// For an address that leads nowhere: the entries and terms whose names are most like its last word.
{
  const pairs = (word) => new Set([...word].slice(1).map((letter, i) => word[i] + letter))
  const letters = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

  // The fraction of pairs of letters that two words share, from 0 to 1 (Dice's coefficient).
  function likeness(a, b) {
    const [first, second] = [pairs(letters(a)), pairs(letters(b))]
    const shared = [...first].filter((pair) => second.has(pair)).length
    return (2 * shared) / (first.size + second.size || 1)
  }

  const list = document.querySelector("#guesses")
  const base = new URL(".", new URL(list.dataset.previews, location)).href
  const wanted = location.pathname.split("/").filter(Boolean).at(-1) ?? ""
  const asked = wanted.replace(/\.html?$/, "")
  fetch(list.dataset.previews)
    .then((answer) => answer.json())
    .then((previews) => {
      const guesses = Object.entries(previews)
        .map(([address, { title, definition, aliases }]) => {
          const best = Math.max(...[title, ...aliases].map((name) => likeness(asked, name)))
          return { address, title, definition, best }
        })
        .filter(({ best }) => best >= 0.4)
        .sort((a, b) => b.best - a.best)
        .slice(0, 3)
      for (const { address, title, definition } of guesses) {
        const item = document.createElement("li")
        const link = document.createElement("a")
        link.href = base + address
        link.textContent = title
        item.append(link, ` ${definition}`)
        list.append(item)
      }
      list.closest("section").hidden = guesses.length === 0
    })
}
