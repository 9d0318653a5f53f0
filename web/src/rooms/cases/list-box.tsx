/** A list that is worked by keys and may be very long: only the rows in sight are drawn.
 *
 * The list itself keeps the focus and names the chosen row (`aria-activedescendant`), so that no update of the rows
 * can take the focus away. The chosen row is a key, not a place: it stays chosen while rows come and go around it.
 */

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { passFocusOn } from './choice';
import { WRITES } from './keys';
import { rowsInSight, scrollFor } from './model';

/** Who writes, or answers a question, keeps the focus when a list appears. */
const BUSY = `${WRITES}, dialog`;

interface ListBoxProps {
  id: string;
  label: string;
  count: number;
  rowPx: number;
  /** Place of the chosen row, −1 for none. */
  chosen: number;
  /** undefined where the row has not been read yet. */
  keyOf: (row: number) => string | number | undefined;
  render: (row: number) => ComponentChildren;
  onChoose: (row: number) => void;
  onOpen: (row: number) => void;
  /** A click chooses; and opens, where nothing is done with a row that is only chosen. */
  opensOnClick: boolean;
  /** Rows first to last (exclusive) can be seen. */
  onSight?: (first: number, last: number) => void;
  onFocus?: () => void;
  /** Has the focus as it appears. */
  first?: boolean;
}

export function ListBox(props: ListBoxProps): JSX.Element {
  const { id, count, rowPx, chosen } = props;
  const place = useRef<HTMLDivElement>(null);
  const [scrollPx, setScroll] = useState(0);
  const [heightPx, setHeight] = useState(rowPx * 8);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    if (props.first && !document.activeElement?.closest(BUSY)) element.focus({ preventScroll: true });
    return () => {
      observer.disconnect();
      if (document.activeElement === element) window.setTimeout(passFocusOn);
    };
  }, []);
  const [first, last] = rowsInSight(scrollPx, heightPx, rowPx, count);
  useEffect(() => props.onSight?.(first, last), [first, last]);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element || chosen < 0) return;
    const to = scrollFor(chosen, element.scrollTop, element.clientHeight, rowPx);
    if (to !== null) element.scrollTop = to;
  }, [chosen, heightPx]);

  // keys may come faster than pictures: each counts from where the one before it went
  const here = useRef(chosen);
  here.current = chosen;
  const go = (row: number): void => {
    if (count === 0) return;
    here.current = Math.min(count - 1, Math.max(0, row));
    props.onChoose(here.current);
  };
  const page = Math.max(1, Math.floor(heightPx / rowPx) - 1);
  const keys: Record<string, () => void> = {
    ArrowDown: () => go(here.current + 1),
    j: () => go(here.current + 1),
    ArrowUp: () => go(here.current - 1),
    k: () => go(here.current - 1),
    PageDown: () => go(here.current + page),
    PageUp: () => go(here.current - page),
    Home: () => go(0),
    End: () => go(count - 1),
    Enter: () => here.current >= 0 && here.current < count && props.onOpen(here.current),
  };
  const rows = [];
  for (let row = first; row < last; row++) {
    rows.push(
      <div
        key={props.keyOf(row) ?? `row-${row}`}
        id={`${id}-${row}`}
        role="option"
        class={`list-row ${row === chosen ? 'chosen' : ''}`}
        aria-selected={row === chosen}
        aria-setsize={count}
        aria-posinset={row + 1}
        style={{ height: `${rowPx}px`, transform: `translateY(${row * rowPx}px)` }}
        onClick={() => {
          props.onChoose(row);
          if (props.opensOnClick) props.onOpen(row);
        }}
        onDblClick={() => props.onOpen(row)}
      >
        {props.render(row)}
      </div>,
    );
  }
  return (
    <div
      ref={place}
      id={id}
      class="list-box"
      role="listbox"
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={chosen >= first && chosen < last ? `${id}-${chosen}` : undefined}
      data-testid={id}
      data-count={count}
      onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      onFocus={props.onFocus}
      onKeyDown={(event) => {
        const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (!act) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      }}
    >
      <div class="list-rows" style={{ height: `${count * rowPx}px` }}>
        {rows}
      </div>
    </div>
  );
}
