/** `keyturn config check`: every problem of the configuration and of the files it names, at once; needs no daemon. */
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { requireConfigFile } from './config-file.ts';
import { inspectConfig } from './config-problems.ts';
import { EXIT } from './exit-code.ts';

export const configCheckCommand: CommandSpec = {
  name: 'config check',
  summary: 'find every problem in the configuration, the access policy and the files they name',
  options: [JSON_OPTION],
  async run(context, { options }) {
    const file = requireConfigFile(context, options);
    const { problems } = await inspectConfig(file);
    if (isSwitchedOn(options, 'json')) context.terminal.printJson({ ok: problems.length === 0, file, problems });
    else if (problems.length === 0) context.terminal.print(`${file} is good`);
    if (problems.length === 0) return EXIT.ok;
    if (!isSwitchedOn(options, 'json')) {
      for (const { path, message } of problems) context.terminal.print(path === '' ? message : `${path}: ${message}`);
      const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
      context.terminal.error(`${count} in ${file}`);
      context.terminal.hint('docs/reference/configuration.md and docs/reference/access-policy.md list every option');
    }
    return EXIT.configuration;
  },
};
