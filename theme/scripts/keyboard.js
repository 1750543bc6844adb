// What Material's script makes and keyboards or screen readers trip over.
addEventListener("load", () => {
  // A <nav> around each copy button, all of them without a name.
  for (const nav of document.querySelectorAll(".md-code__nav")) nav.setAttribute("role", "none")

  // What scrolls sideways is reached, so that it can be scrolled: formulas, tables, code.
  const scrolling = ".maths, .md-typeset__scrollwrap, .md-typeset pre > code"
  for (const box of document.querySelectorAll(scrolling))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0

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
  }
})
