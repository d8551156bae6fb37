import { kernelInfo } from '@eddy/mixture'
import type { Logger } from '@eddy/runtime'
import type { Configuration } from '@eddy/settings'

/** Logs which kernel the configured one is here. */
export function logKernel({ model }: Pick<Configuration, 'model'>, logger: Logger): void {
  logger.info(kernelInfo(model.kernel), 'kernel')
}
