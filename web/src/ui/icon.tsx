/** The few line icons of the page. */
import type { JSX } from 'preact';

const PATHS: Record<string, JSX.Element> = {
  pause: <path d="M8 5v14M16 5v14" />,
  play: <path d="M7 4.5v15l12-7.5z" fill="currentColor" stroke-linejoin="round" />,
  step_back: <path d="M16.5 5.5v13L8.5 12zM6 5.5v13" stroke-linejoin="round" />,
  step_on: <path d="M7.5 5.5v13l8-6.5zM18 5.5v13" stroke-linejoin="round" />,
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
  globe: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M3 12h18M12 3c-5 5.5-5 12.5 0 18M12 3c5 5.5 5 12.5 0 18" />
    </>
  ),
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  fit: <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />,
  back: <path d="M14.5 5.5 8 12l6.5 6.5" />,
  close: <path d="M6 6l12 12M18 6 6 18" />,
  city: (
    <>
      <path d="M3.5 20.5h17M6 20.5V9l5-3.5v15M11 20.5v-9h7v9" />
      <path d="M14.5 15v1.5" />
    </>
  ),
  mission: (
    <>
      <path d="M3.5 16.5V8h10v8.5M13.5 11h4l3 3.5v2h-2" />
      <circle cx="7.5" cy="17" r="1.8" />
      <circle cx="16.5" cy="17" r="1.8" />
      <path d="M8.5 10v4M6.5 12h4" />
    </>
  ),
  bell: <path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4" />,
  bell_off: <path d="M6 16.5V11a6 6 0 0 1 9.5-4.9M18 11v5.5l1.5 2h-13M10 21h4M4 4l16 16" />,
  shift: <path d="M4 7h13l-3-3M20 17H7l3 3M12 10v4" />,
  keys: <path d="M3 7h18v10H3zM6.5 10.5h.01M10 10.5h.01M14 10.5h.01M17.5 10.5h.01M8 14h8" />,
  cases: <path d="M5 4.5h14v15H5zM8.5 9h7M8.5 12.5h7M8.5 16h4" />,
  then: (
    <>
      <path d="M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5" />
      <path d="M12 8v4.5l3 2" />
    </>
  ),
  what_if: <path d="M4 12h5l4-6h7M9 12l4 6h7M17 3.5 20 6l-3 2.5M17 15.5 20 18l-3 2.5" />,
  proof: <path d="M4 20V4M4 20h16M8 16.5v-4M12 16.5v-8M16 16.5v-5.5" />,
  corridor: <path d="M4 20 9 4M10 20l5-16M16 20l4.5-16" />,
  people: (
    <>
      <circle cx="9" cy="8" r="3.5" />
      <path d="M2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3.5 2.5 3.5 5.5" />
    </>
  ),
  user: (
    <>
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20.5c0-4.5 3.4-6.5 7.5-6.5s7.5 2 7.5 6.5" />
    </>
  ),
  wall: <path d="M3 5h18v12H3zM9 21h6M12 17v4" />,
  layers: <path d="M12 3.5 21 8l-9 4.5L3 8zM3.5 12.5 12 17l8.5-4.5M3.5 16.5 12 21l8.5-4.5" />,
  link: <path d="M10 14a4 4 0 0 0 6 .5l3-3a4.2 4.2 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4.2 4.2 0 0 0 6 6l1.5-1.5" />,
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
