import { kernelInfo, selectKernel } from '@eddy/mixture'
import type { Logger } from '@eddy/runtime'
import type { Configuration } from '@eddy/settings'

/** Selects the configured kernel for this thread, and logs which it is. @throws {KernelError} if it does not run here */
export function useConfiguredKernel({ model }: Pick<Configuration, 'model'>, logger: Logger): void {
  selectKernel(model.kernel)
  logger.info(kernelInfo(), 'kernel')
}
