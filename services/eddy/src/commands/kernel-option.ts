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
      'webassembly, typescript (the slow reference), or webassembly-f32, which scores full covariances in f32; auto takes webassembly where the machine supports it',
    )
      .choices(KERNEL_CHOICES)
      .default('auto'),
  )
}
