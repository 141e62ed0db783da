/** Ways to write a table. Apart from the writers, so that the command line knows them without loading any. */
export const TABLE_FORMATS = ['terminal', 'markdown', 'csv', 'json', 'latex'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];
