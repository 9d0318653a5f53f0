/** The part of the page for alarms and cases; loaded when somebody first comes in. */

export { CasesRoom } from './cases-room';
