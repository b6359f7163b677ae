declare module "*.css" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: an import of a file as text has a default export only
  export default text;
}
