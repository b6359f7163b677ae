/** What is seen in browsers: values, type and parts that picker, store app and console share. Its style sheet is `@petak/ui/ui.css`. */
export { gallery } from "./gallery.ts";
export { type IconName, icon } from "./icon.ts";
export { mark } from "./mark.ts";
export { notice, type Tone } from "./notice.ts";
export { pill } from "./pill.ts";
export { type Row, rows } from "./rows.ts";
export { skeleton } from "./skeleton.ts";
