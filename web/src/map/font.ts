/** The page's own font, for what is drawn on canvases: one stack, in the reader's language (style.css). */

export const pageFont = (): string => getComputedStyle(document.body).fontFamily || 'sans-serif';
