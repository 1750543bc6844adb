// A button that copies, on every block but outputs. It is ours because Material's script measures all
// blocks of a page while it loads.
for (const block of document.querySelectorAll(".highlight:not(.language-python + .language-text)")) {
  const button = document.createElement("button")
  button.className = "copy"
  button.textContent = "Copy"
  button.setAttribute("aria-live", "polite")
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent)
    button.textContent = "Copied"
    setTimeout(() => (button.textContent = "Copy"), 2000)
  })
  block.append(button)
}
