import { KERNEL_CHOICES, type KernelChoice, selectKernel } from '@eddy/mixture'
import { type Command, Option } from 'commander'

/** Adds `--kernel`, which is selected before the command (or one of its subcommands) acts. */
export function addKernelOption(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--kernel <name>',
        'webassembly where the machine has it, or typescript, the slow reference; webassembly-f32 scores full covariances in f32',
      )
        .choices(KERNEL_CHOICES)
        .default('auto'),
    )
    .hook('preAction', acting => selectKernel(acting.opts<{ kernel: KernelChoice }>().kernel))
}
