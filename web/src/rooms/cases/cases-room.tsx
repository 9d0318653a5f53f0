/** Alarms and cases on one screen: alarms above, open cases below, the map beside them; one case instead of the lists
 * when one is open. The address says which. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { go, useRoute } from '../../state/route';
import { Icon } from '../../ui/icon';
import { reportFrom } from './actions';
import { AlarmPane } from './alarm-pane';
import { AskDialog } from './ask';
import { CasePane } from './case-pane';
import { CaseView } from './case-view';
import { ALARM_LIST, CASE_LIST, choice, usePane } from './choice';
import { handKeyTo, useKeys } from './keys';
import { ReportForm } from './report-form';
import { Shortcuts, toggleShortcuts } from './shortcuts';
import { look, openFile, useDesk } from './store';
import { useNow } from './now';
import { SILENT_AFTER_MS, useSummary } from './summary';
import { casesText } from './text';
import './cases.css';

export function CasesRoom(): JSX.Element {
  const item = useRoute((route) => route.item);
  useEffect(look, []);
  useEffect(openFile, [item]);
  useKeys({ n: () => reportFrom(null), '?': toggleShortcuts }, true);
  return (
    <div class="cases-room">
      <Trouble />
      {item === 'new' ? <ReportForm /> : item ? <CaseView key={item} id={item} /> : <Lists />}
      <AskDialog />
      <Shortcuts />
    </div>
  );
}

const MOVES = ['j', 'k', 'ArrowDown', 'ArrowUp', 'Enter', 'Home', 'End'];

function Lists(): JSX.Element {
  const pane = usePane();
  useEffect(() => {
    // a chosen pane that is empty leaves the keys to the other
    const other = pane === 'alarms' ? CASE_LIST : ALARM_LIST;
    const mine = pane === 'alarms' ? ALARM_LIST : CASE_LIST;
    if (!document.getElementById(mine)) document.getElementById(other)?.focus({ preventScroll: true });
  }, []);
  const redirect = (key: string) => (): void => {
    const lists = choice.pane() === 'alarms' ? [ALARM_LIST, CASE_LIST] : [CASE_LIST, ALARM_LIST];
    const list = lists.find((id) => document.getElementById(id));
    if (list) handKeyTo(list, key);
  };
  useKeys(Object.fromEntries(MOVES.map((key) => [key, redirect(key)])), true);
  return (
    <div class="panes" data-pane={pane}>
      <AlarmPane first={pane === 'alarms'} />
      <CasePane first={pane === 'cases'} />
      <footer class="pane-foot">
        <button type="button" class="link" data-testid="shortcuts" onClick={toggleShortcuts}>
          <Icon name="keys" />
          {casesText.shortcuts.open}
        </button>
        <button type="button" class="link" onClick={() => go('shift')}>
          <Icon name="shift" />
          {casesText.shiftLink}
        </button>
      </footer>
    </div>
  );
}

/** What keeps the lists from being what they should be. */
function Trouble(): JSX.Element | null {
  const health = useSummary((s) => s.health);
  const heardMs = useSummary((s) => s.heardMs);
  const trouble = useDesk((s) => s.trouble);
  useNow();
  const silent = heardMs > 0 && Date.now() - heardMs > SILENT_AFTER_MS;
  const says = silent ? casesText.silent : health?.last_error ? casesText.cannotWrite(health.last_error) : trouble ? casesText.cannotRead(trouble) : '';
  return says ? (
    <p class="banner bad" role="alert" data-testid="cases-trouble">
      {says}
    </p>
  ) : null;
}
