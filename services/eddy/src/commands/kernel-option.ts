import { KERNEL_CHOICES, type KernelChoice } from '@eddy/mixture'
import { type Command, Option } from 'commander'

/** What `--kernel` sets: see `createKernel`. */
export interface KernelFlag {
  readonly kernel: KernelChoice
}

/** Adds `--kernel`. */
export function addKernelOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--kernel <name>',
      'webassembly where the machine has it, or typescript, the slow reference; webassembly-f32 scores full covariances in f32',
    )
      .choices(KERNEL_CHOICES)
      .default('auto'),
  )
}
