// What Material's script makes and keyboards or screen readers trip over.
const SCROLLING = ".code, .maths, .md-typeset__scrollwrap, figure > [role=img]"

addEventListener("load", () => {
  // What scrolls sideways is reached, so that it can be scrolled. Blocks are not measured, since that
  // would lay out all of them: tools/blocks.py says how many letters the longest line has.
  const letter = document.createElement("canvas").getContext("2d")
  const code = document.querySelector(".code > code")
  function reach() {
    const { fontSize, fontFamily } = getComputedStyle(code ?? document.body)
    letter.font = `${fontSize} ${fontFamily}`
    const around = 1.6 * parseFloat(getComputedStyle(document.documentElement).fontSize) + 4
    for (const box of document.querySelectorAll(SCROLLING)) {
      const columns = box.parentElement.closest("[style]")?.style.getPropertyValue("--columns")
      const wide = columns
        ? columns * letter.measureText("0").width > box.closest(".highlight").clientWidth - around
        : box.scrollWidth > box.clientWidth
      if (wide) box.tabIndex = 0
      else box.removeAttribute("tabindex")
    }
  }
  reach()
  addEventListener("resize", reach)

  // On small screens labels open the menu and the search, and no keyboard reaches a label.
  for (const [name, toggle] of [["Menu", "__drawer"], ["Search", "__search"]]) {
    const label = document.querySelector(`.md-header__inner > label[for=${toggle}]`)
    const button = document.createElement("button")
    button.className = `${label.className} opens${toggle}`
    button.setAttribute("aria-label", name)
    button.append(...label.childNodes)
    button.addEventListener("click", () => label.click())
    label.before(button)
    label.hidden = true
    const state = document.getElementById(toggle)
    const tell = () => button.setAttribute("aria-expanded", state.checked)
    state.addEventListener("change", tell)
    tell()
    addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !state.checked) return
      if (toggle === "__drawer") state.click()
      button.focus()
    })
  }
})
