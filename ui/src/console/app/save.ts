/** Hands a file to the browser, which saves it. Nothing of it is shown in the page. */
export function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it when the click is over, or will have in a moment.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
