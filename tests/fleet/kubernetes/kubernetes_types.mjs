// Holds manifests against the API of Kubernetes: usage: node kubernetes_types.mjs FILE.yaml... By its schema (what is required, of which kind and form), and by
// its types, of which the TypeScript compiler misses no member that does not exist: a schema lets those pass.
import { readFileSync, writeFileSync } from 'node:fs';
import yaml from 'js-yaml';
import ts from 'typescript';

const lines = [];
let problems = 0;
for (const file of process.argv.slice(2)) {
  for (const manifest of yaml.loadAll(readFileSync(file, 'utf8'))) {
    const group = `kubernetes-models/${manifest.apiVersion}`;
    const model = (await import(group))[manifest.kind];
    try {
      new model(manifest).validate();
    } catch (error) {
      console.error(`${file}: ${error.message}`);
      problems++;
    }
    const number = lines.length;
    lines.push(`import { type I${manifest.kind} as Of${number} } from '${group}';\n// ${file}\nexport const manifest${number}: Of${number} = ${JSON.stringify(manifest, null, 1)};\n`);
  }
}
writeFileSync('manifests.ts', lines.join('\n'));
const program = ts.createProgram(['manifests.ts'], { strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] });
const found = ts.getPreEmitDiagnostics(program);
process.stderr.write(ts.formatDiagnostics(found, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => process.cwd(), getNewLine: () => '\n' }));
problems += found.length;
if (lines.length === 0) throw new Error('no manifests');
process.exit(problems === 0 ? 0 : 1);
