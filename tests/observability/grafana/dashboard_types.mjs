// Holds a dashboard against Grafana's own types: usage: node dashboard_types.mjs DASHBOARD. What they do not know, lack or have of another kind is
// an error of the TypeScript compiler.
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const dashboard = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// Of each kind of panel: what its plugin calls its options, and its part of the field configuration.
const plugins = { heatmap: 'Heatmap', stat: 'Stat', 'state-timeline': 'StateTimeline', timeseries: 'TimeSeries' };
const folders = { heatmap: 'heatmap', stat: 'stat', 'state-timeline': 'statetimeline', timeseries: 'timeseries' };

const lines = [
  "import type { Dashboard, Panel, RowPanel } from '@grafana/schema';",
  ...Object.entries(folders).map(([kind, folder]) =>
    `import type * as ${plugins[kind]} from './node_modules/@grafana/schema/dist/types/raw/composable/${folder}/panelcfg/x/types.gen';`),
  // JSON has no enumerations, only their values.
  'type Json<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : number) : T extends boolean | null | undefined ? T',
  '  : T extends Array<infer E> ? Array<Json<E>> : T extends object ? { [K in keyof T]: Json<T[K]> } : T;',
];
const { panels, ...rest } = dashboard;
lines.push(`export const dashboard: Json<Omit<Dashboard, 'panels'>> = ${JSON.stringify(rest, null, 1)};`);
for (const panel of panels) {
  const of = panel.type === 'row' ? 'RowPanel' : 'Panel';
  lines.push(`export const panel${panel.id}: Json<${of}> = ${JSON.stringify(panel, null, 1)};`);
  if (panel.type === 'row') continue;
  const plugin = plugins[panel.type];
  if (!plugin) throw new Error(`panel ${panel.id} "${panel.title}" is of the kind ${panel.type}, which is not known here`);
  lines.push(`export const options${panel.id}: Json<${plugin}.Options> = ${JSON.stringify(panel.options, null, 1)};`);
  const custom = panel.fieldConfig.defaults.custom;
  if (custom) lines.push(`export const custom${panel.id}: Json<Partial<${plugin}.FieldConfig>> = ${JSON.stringify(custom, null, 1)};`);
}
writeFileSync('dashboard.ts', lines.join('\n'));

const program = ts.createProgram(['dashboard.ts'], { strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] });
const problems = ts.getPreEmitDiagnostics(program);
process.stderr.write(ts.formatDiagnostics(problems, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => process.cwd(), getNewLine: () => '\n' }));
process.exit(problems.length === 0 ? 0 : 1);
