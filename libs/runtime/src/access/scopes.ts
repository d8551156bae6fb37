/** What a client may be allowed to do: append events; read labels and the model; erase, and whatever else changes what is stored. */
export const scopes = ['produce', 'read', 'operate'] as const

export type Scope = (typeof scopes)[number]

/** Who asks, as far as it matters. */
export interface Client {
  /** of its token or its certificate, for the audit log */
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
}

export const everyScope: ReadonlySet<Scope> = new Set(scopes)

/** Who is not known, and asks for what needs nothing. */
export const stranger: Client = { name: 'a stranger', scopes: new Set() }
