/** Several what-ifs side by side: what each changes against doing nothing. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { formatFixed, formatSigned, verdictOf } from '../../desk/figures';
import { LineChart } from '../../desk/line-chart';
import { formatClock } from '../../format';
import { useStore } from '../../state/store';
import { interval } from './answer-view';
import { refreshView, store } from './store';
import { words } from './text';
import type { Answer, WhatIf } from './types';
import { titleOf } from './title';

const LOOKS = 5;
const SAME_MOMENT_S = 1;

export function Comparison({ ids }: { ids: readonly string[] }): JSX.Element {
  const views = store.use((s) => s.views);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  useEffect(() => {
    for (const id of ids) if (!store.get().views[id]) void refreshView(id);
  }, [ids.join()]);
  const shown = ids.map((id) => views[id]).filter((one): one is WhatIf & { answer: Answer } => Boolean(one?.answer));
  const text = words.comparison;
  if (shown.length < 2) return <p class="muted">{text.needTwo}</p>;
  const [first] = shown;
  const moments = shown.some((one) => Math.abs(one.answer.from_s - first.answer.from_s) > SAME_MOMENT_S);
  const horizons = shown.some((one) => one.question.minutes !== first.question.minutes);
  return (
    <section aria-labelledby="comparison-title" data-testid="what-if-comparison">
      <h2 id="comparison-title">{text.title}</h2>
      {(moments || horizons) && (
        <ul class="card notice">
          {moments && <li>{text.moments}</li>}
          {horizons && <li>{text.horizons}</li>}
        </ul>
      )}
      <div class="card">
        <h3>{text.difference}</h3>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{words.answer.columns.figure}</th>
                {shown.map((one) => (
                  <th key={one.id} scope="col" class="wrap">
                    {titleOf(one)} <small>{formatClock(epoch, one.answer.from_s).slice(0, 5)}</small>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {first.answer.indicators.map((row) => (
                <tr key={row.name}>
                  <th scope="row">
                    {words.answer.indicators[row.name] ?? row.name} <small>{row.unit}</small>
                  </th>
                  {shown.map((one) => {
                    const mine = one.answer.indicators.find((other) => other.name === row.name);
                    if (!mine) return <td key={one.id}>–</td>;
                    const reading = verdictOf(mine.difference.low, mine.difference.high, mine.better);
                    const digits = mine.unit === 'veh' ? 0 : 1;
                    return (
                      <td key={one.id} class={`verdict ${reading}`}>
                        {formatSigned(mine.difference.mean, digits)}
                        <small>{interval(mine.difference, digits)}</small>
                        <small>{words.answer.reading[reading]}</small>
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
      <div class="card">
        <div class="columns">
          {first.answer.courses.map((course) => (
            <LineChart
              key={course.name}
              signed
              title={text.course(words.answer.courses[course.name] ?? course.name)}
              timeS={course.time_s.map((timeS) => timeS - first.answer.from_s)}
              formatTime={(timeS) => `+${Math.round(timeS / 60)}′`}
              formatValue={(value) => formatFixed(value, Math.abs(value) < 10 && value % 1 ? 1 : 0)}
              lines={shown.flatMap((one, k) => {
                const mine = one.answer.courses.find((other) => other.name === course.name);
                if (!mine) return [];
                const bands = mine.difference.slice(0, course.time_s.length);
                return [
                  {
                    label: titleOf(one),
                    look: `look-${1 + (k % LOOKS)}`,
                    mean: bands.map((band) => band.mean),
                    low: bands.map((band) => band.low),
                    high: bands.map((band) => band.high),
                  },
                ];
              })}
            />
          ))}
        </div>
      </div>
    </section>
  );
}
