/** The part of the page that shows who may do what; loaded when an administrator comes in. */

export { PeopleRoom } from './people-room';
