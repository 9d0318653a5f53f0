/** What is known of the chosen alarm, and the times that it stood. */

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AlarmFile, AlarmView } from '../../api/case-types';
import { casesApi } from '../../api/cases';
import { placeName } from '../../alerts/place';
import { detailWords, titleWords } from '../../alerts/words';
import { casesText } from './text';
import { actorWords, clockOf, momentOf } from './words';

const words = casesText.alarms;
const SHOWN = 5;

export function AlarmDetail({ alarm, children }: { alarm: AlarmView; children: ComponentChildren }): JSX.Element {
  const [file, setFile] = useState<AlarmFile | null>(null);
  useEffect(() => {
    let gone = false;
    // who runs through the list does not ask for each row
    const timer = window.setTimeout(() => {
      casesApi.alarm(alarm.id).then(
        (read) => !gone && setFile(read),
        () => undefined, // the row says what matters; this is asked for again with its next change
      );
    }, 200);
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [alarm.id, alarm.changed, alarm.count, alarm.state]);
  const times = file?.alarm.id === alarm.id ? file.times.slice(0, SHOWN) : [];
  return (
    <div class="alarm-detail" data-testid="alarm-detail">
      <p>
        <b>{titleWords(alarm)}</b> {placeName(alarm) && `(${placeName(alarm)})`} {detailWords(alarm)}
      </p>
      {alarm.acknowledged && alarm.acknowledged_by && (
        <p class="muted small">{words.notedBy(actorWords(alarm.acknowledged_by), clockOf(alarm.acknowledged))}</p>
      )}
      {times.length > 0 && (
        <p class="muted small" data-testid="alarm-times">
          {words.stoodTitle}: {times.map((one) => words.stood(momentOf(one.raised), one.cleared ? clockOf(one.cleared) : words.stillStands)).join('; ')}
        </p>
      )}
      <div class="tools">{children}</div>
    </div>
  );
}
