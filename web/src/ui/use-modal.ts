/** A dialog that stands before everything else while its component is there. */

import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** For the `ref` of a <dialog>. opened: where the focus goes, if not to the first field.
 *
 * Opened before the picture, so that a key pressed as soon as it is seen is meant for it; closed before it goes,
 * which gives the focus back: a dialog that is only removed does not. */
export function useModal(opened?: (dialog: HTMLDialogElement) => void): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    if (element) opened?.(element);
    return () => element?.close();
  }, []);
  return dialog;
}
