// What Material's script makes and keyboards or screen readers trip over.
addEventListener("load", () => {
  // A <nav> around each copy button, all of them without a name.
  for (const nav of document.querySelectorAll(".md-code__nav")) nav.setAttribute("role", "none")

  // What scrolls sideways is reached, so that it can be scrolled: formulas, tables, code. It is
  // measured when it comes near the screen, since to measure all of it takes long.
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries)
      if (isIntersecting && target.scrollWidth > target.clientWidth) target.tabIndex = 0
  }, { rootMargin: "50%" })
  for (const box of document.querySelectorAll(".maths, .md-typeset__scrollwrap, .md-typeset pre > code"))
    near.observe(box)

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
