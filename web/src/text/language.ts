/** Which language the page speaks: what was chosen, else the first of the browser's that there is. */

export const LANGUAGES = { en: 'English', ko: '한국어', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'civicbrain-language';

const isLanguage = (code: string | null | undefined): code is Language => code !== null && code !== undefined && code in LANGUAGES;

function wanted(): Language {
  const chosen = localStorage.getItem(KEY);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
}

export const language: Language = typeof localStorage === 'undefined' ? 'en' : wanted();

/** One catalogue for each language, all of one shape: the one in use. */
export const inLanguage = <T>(catalogues: Record<Language, T>): T => catalogues[language];

/** All texts are read once, at the start: another language starts the page anew, at the same place. */
export function chooseLanguage(code: Language): void {
  localStorage.setItem(KEY, code);
  location.reload();
}
