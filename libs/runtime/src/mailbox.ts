import { concatMap, map, merge, type Observable } from 'rxjs'

interface Letter<Out> {
  readonly answer: () => readonly Out[] | Promise<readonly Out[]>
}

/** Messages of several senders, handled one at a time in the order in which they came. */
export class Mailbox<Out> {
  readonly #senders: Observable<Letter<Out>>[] = []

  /** Handles each message of a sender when its turn comes: when those that came before, of whichever sender, are done with. */
  from<Message>(
    messages: Observable<Message>,
    handle: (message: Message) => readonly Out[] | Promise<readonly Out[]>,
  ): this {
    this.#senders.push(messages.pipe(map(message => ({ answer: () => handle(message) }))))
    return this
  }

  /** What handling leads to, in order. Completes after the last message of the last sender; errors when a sender or a handler does. */
  outcomes(): Observable<Out> {
    return merge(...this.#senders).pipe(
      concatMap(async ({ answer }) => answer()),
      concatMap(outcomes => outcomes),
    )
  }
}
