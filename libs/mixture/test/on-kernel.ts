import { createKernel, type Family, type Kernel, mixture } from '@eddy/mixture'

/** The compiled kernel, without which these tests cannot run. */
export const compiledKernel: Kernel = createKernel('webassembly')

/** The same family with its work done by the compiled kernel. */
export const onKernel = (family: Family): Family => compiledKernel.accelerate(mixture(family)).inner
