/** The few line icons of the page. */
import type { JSX } from 'preact';

const PATHS: Record<string, JSX.Element> = {
  pause: <path d="M8 5v14M16 5v14" />,
  play: <path d="M7 4.5v15l12-7.5z" fill="currentColor" stroke-linejoin="round" />,
  sun: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3l1.8 1.8M16.9 16.9l1.8 1.8M5.3 18.7l1.8-1.8M16.9 7.1l1.8-1.8" />
    </>
  ),
  moon: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />,
  panel: (
    <>
      <rect x="3" y="4.5" width="18" height="15" rx="2" />
      <path d="M15 4.5v15" />
    </>
  ),
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  fit: <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />,
  back: <path d="M14.5 5.5 8 12l6.5 6.5" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  target: (
    <>
      <circle cx="12" cy="12" r="6" />
      <path d="M12 2.5V7M12 17v4.5M2.5 12H7M17 12h4.5" />
    </>
  ),
};

export function Icon({ name }: { name: string }): JSX.Element {
  if (name === 'mark') {
    return (
      <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
        <path d="M16 3v26M3 16h26" stroke="currentColor" stroke-width="5" opacity="0.35" />
        <circle cx="16" cy="16" r="6.5" class="mark-core" />
      </svg>
    );
  }
  return (
    <svg class="glyph" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">
      {PATHS[name]}
    </svg>
  );
}
