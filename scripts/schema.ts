/** Writes docs/kubeparcel.schema.json from the schema in the code. Run: npm run schema */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '../src/config/schema.ts';
import { packageRoot } from '../src/support/package-root.ts';

writeFileSync(
  join(packageRoot(), 'docs', 'kubeparcel.schema.json'),
  `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`,
);
